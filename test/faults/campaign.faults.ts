import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { conclude } from './conclude.ts';
import { readFaultLog } from './fault-log.ts';
import { countByKind, everyKind } from './kinds.ts';

/** Another one each time, unless it is said. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const videos = Number(process.env.VIDEOS ?? 500);

test(`${videos} videos come to their right ends whatever goes wrong (SEED=${seed})`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-faults-'));
  const began = Date.now();
  const report = (line: string) => console.log(`${Math.round((Date.now() - began) / 1000)} s: ${line}`);
  report(`SEED=${seed}, state in ${directory}`);
  const outcome = await runCampaign({ seed, videos, kills: 4, setbacks: 2, workers: 4, directory, report });
  try {
    const faults = await conclude(outcome, directory, 120);
    const counts = countByKind(readFaultLog(directory));
    console.table(counts);
    report(`${videos} videos, ${Object.values(counts).reduce((sum, count) => sum + count, 0)} faults`);
    expect(faults).toEqual([]);
    // Fewer videos than usual are fewer chances for what is rare.
    if (videos >= 500) expect(everyKind.filter((kind) => !counts[kind])).toEqual([]);
  } finally {
    await outcome.stage.close();
  }
  await rm(directory, { recursive: true, force: true });
}, 900_000);
