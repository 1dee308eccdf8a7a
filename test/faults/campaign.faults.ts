import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { conclude, table } from './conclude.ts';
import { readFaultLog } from './fault-log.ts';
import { lagOf } from './judge.ts';
import { countByKind, everyKind } from './kinds.ts';
import { readLastState } from './last-state.ts';
import { openStage, type Stage } from './stage.ts';

/** Another one each time, unless it is said. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const videos = Number(process.env.VIDEOS ?? 500);

let stage: Stage | undefined;
afterAll(() => stage?.close());

test(`${videos} videos come to their right ends whatever goes wrong (SEED=${seed})`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-faults-'));
  const began = Date.now();
  const report = (line: string) => console.log(`${Math.round((Date.now() - began) / 1000)} s: ${line}`);
  report(`SEED=${seed}, state in ${directory}`);
  stage = await openStage(directory, { seed, setbacks: 2, workers: 4 });
  const asked = await runCampaign(stage, { seed, videos, kills: 4, requests: 4, report });
  const faults = await conclude(stage, asked, 120);
  const counts = countByKind(readFaultLog(directory));
  console.table(counts);
  report(
    `${videos} videos, ${Object.values(counts).reduce((sum, count) => sum + count, 0)} times something went wrong`,
  );
  const lags = [...(await readLastState(stage, table)).videos.values()].map(lagOf).sort((one, other) => one - other);
  const at = (part: number) => lags[Math.floor(part * (lags.length - 1))];
  report(`ends of tasks were noticed within ${at(0.5)} s (median), ${at(0.95)} s (95 of 100), ${at(1)} s (all)`);
  expect(faults).toEqual([]);
  expect(asked).toHaveLength(videos);
  // Fewer videos than usual are fewer chances for what is rare.
  if (videos >= 500) expect(everyKind.filter((kind) => !counts[kind])).toEqual([]);
  await stage.close();
  await rm(directory, { recursive: true, force: true });
}, 3_600_000);
