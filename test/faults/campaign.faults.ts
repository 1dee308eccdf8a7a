import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { conclude } from './conclude.ts';
import { readFaultLog } from './fault-log.ts';
import { lagOf } from './judge.ts';
import { countByKind, everyKind } from './kinds.ts';
import { readLastState } from './last-state.ts';
import { table } from './observer.ts';
import { openStage, type Stage } from './stage.ts';

/** Random unless it is set. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const videos = Number(process.env.VIDEOS ?? 500);

let stage: Stage | undefined;
afterAll(() => stage?.close());

test(`${videos} videos end correctly under faults (SEED=${seed})`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-faults-'));
  const began = Date.now();
  const report = (line: string) => console.log(`${Math.round((Date.now() - began) / 1000)} s: ${line}`);
  report(`SEED=${seed}, state in ${directory}`);
  const receiver = { outages: 3, outage_milliseconds: 15_000, videos };
  stage = await openStage(directory, { seed, setbacks: 2, workers: 4, receiver });
  const submitted = await runCampaign(stage, { seed, videos, kills: 4, requests: 4, report });
  const issues = await conclude(stage, submitted, 120);
  const counts = countByKind(readFaultLog(directory));
  console.table(counts);
  report(`${videos} videos, ${Object.values(counts).reduce((sum, count) => sum + count, 0)} faults injected`);
  const lags = [...(await readLastState(stage, table)).videos.values()].map(lagOf).sort((one, other) => one - other);
  const at = (part: number) => lags[Math.floor(part * (lags.length - 1))];
  report(`detection lag of task ends: ${at(0.5)} s (p50), ${at(0.95)} s (p95), ${at(1)} s (maximum)`);
  expect(issues).toEqual([]);
  expect(submitted).toHaveLength(videos);
  // With fewer videos, rare faults may not occur.
  if (videos >= 500) expect(everyKind.filter((kind) => !counts[kind])).toEqual([]);
  await stage.close();
  await rm(directory, { recursive: true, force: true });
}, 3_600_000);
