import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { conclude } from './conclude.ts';
import { openStage, type Stage } from './stage.ts';

/** Random unless it is set. `npm run test:faults` is the long form. */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

let stage: Stage | undefined;
afterAll(() => stage?.close());

test(`loses no video or webhook and pays for each video once when calls fail and the process is killed (SEED=${seed})`, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-faults-'));
  const receiver = { outages: 1, outage_milliseconds: 3000, videos: 20 };
  stage = await openStage(directory, { seed, setbacks: 1, workers: 2, receiver });
  const submitted = await runCampaign(stage, { seed, videos: 20, kills: 1, requests: 2 });
  expect(await conclude(stage, submitted, 60), `the state is kept in ${directory}`).toEqual([]);
  await stage.close();
  await rm(directory, { recursive: true, force: true });
}, 600_000);
