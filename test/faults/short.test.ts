import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { conclude } from './conclude.ts';

/** Another one each time, unless it is said. `npm run test:faults` is the long form. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

test(`a process that is killed at any moment, and whose calls fail, loses no video and pays for none twice (SEED=${seed})`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-faults-'));
  const outcome = await runCampaign({ seed, videos: 20, kills: 1, setbacks: 1, workers: 2, directory });
  try {
    expect(await conclude(outcome, directory, 90), `the state is kept in ${directory}`).toEqual([]);
  } finally {
    await outcome.stage.close();
  }
  await rm(directory, { recursive: true, force: true });
}, 300_000);
