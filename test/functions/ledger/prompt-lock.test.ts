import { expect, test } from 'vitest';
import {
  acquirePromptLock,
  escalatePromptLock,
  isPromptLocked,
  releasePromptLock,
} from '../../../functions/ledger/prompt-lock.ts';
import { openSubmission, settleSubmission } from '../../../functions/ledger/submission.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

const store = startTable();

/** Creates two videos with the same prompt and an open attempt each. */
async function twins(): Promise<VideoRecord[]> {
  const prompt = `A cat runs, ${Math.random()}`;
  const both = [aVideo({ status: 'submitting', run: 1 }), aVideo({ status: 'submitting', run: 1 })];
  for (const video of both) {
    video.input.prompt = prompt;
    await createVideo(store.table, video);
  }
  return Promise.all(both.map(async (video) => (await openSubmission(store.table, video))!));
}

test('keeps others out while one holder is uncertain, and lets them in after its release', async () => {
  const [video, twin] = await twins();
  expect(await escalatePromptLock(store.table, video!)).toEqual({ sending: false, uncertain: false });
  expect(await isPromptLocked(store.table, twin!)).toBe(true);
  expect(await acquirePromptLock(store.table, twin!)).toBe(false);
  await releasePromptLock(store.table, video!);
  expect(await isPromptLocked(store.table, twin!)).toBe(false);
  expect(await acquirePromptLock(store.table, twin!)).toBe(true);
  expect(await escalatePromptLock(store.table, video!)).toEqual({ sending: true, uncertain: false });
  await escalatePromptLock(store.table, twin!);
  expect(await escalatePromptLock(store.table, video!)).toEqual({ sending: false, uncertain: true });
});

test('a late release does not remove the holder of the next attempt', async () => {
  const [video, twin] = await twins();
  await acquirePromptLock(store.table, video!);
  const settled = (await settleSubmission(store.table, video!))!;
  const second = (await openSubmission(store.table, settled))!;
  await acquirePromptLock(store.table, second);
  await releasePromptLock(store.table, settled);
  expect((await escalatePromptLock(store.table, twin!)).sending).toBe(true);
});

test.each<[string, (video: VideoRecord) => Promise<unknown>]>([
  ['settled its attempt', (video) => settleSubmission(store.table, video)],
  ['failed', (video) => changeStatus(store.table, video, 'failed')],
  ['got its task', (video) => changeStatus(store.table, video, 'running')],
])('ignores a holder that %s and crashed before its release', async (_, decide) => {
  const [video, twin] = await twins();
  await escalatePromptLock(store.table, video!);
  await decide(video!);
  expect(await isPromptLocked(store.table, twin!)).toBe(false);
  expect(await acquirePromptLock(store.table, twin!)).toBe(true);
});
