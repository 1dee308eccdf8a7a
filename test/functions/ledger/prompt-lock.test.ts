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

/** Two videos with the same prompt, a call of each under way. */
async function twins(): Promise<VideoRecord[]> {
  const prompt = `A cat runs, ${Math.random()}`;
  const both = [aVideo({ status: 'submitting', run: 1 }), aVideo({ status: 'submitting', run: 1 })];
  for (const video of both) {
    video.input.prompt = prompt;
    await createVideo(store.table, video);
  }
  return Promise.all(both.map(async (video) => (await openSubmission(store.table, video))!));
}

test('nobody enters a closed fence, and everybody again once it is left', async () => {
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

test('an invocation that leaves late does not take away the place of the next attempt', async () => {
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
])('a video that died after it %s and before it left holds nobody up', async (_, decide) => {
  const [video, twin] = await twins();
  await escalatePromptLock(store.table, video!);
  await decide(video!);
  expect(await isPromptLocked(store.table, twin!)).toBe(false);
  expect(await acquirePromptLock(store.table, twin!)).toBe(true);
});
