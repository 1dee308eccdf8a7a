import { DeleteCommand, GetCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, expect, test } from 'vitest';
import {
  acquirePromptLock,
  escalatePromptLock,
  isPromptLocked,
  releasePromptLock,
} from '../../../functions/ledger/prompt-lock.ts';
import { claimTask, markAmbiguous, openSubmission, readTaskClaim } from '../../../functions/ledger/submission.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const hours = (count: number) => count * 3600_000;
const clock = { now: start };
const store = startTable(() => clock.now);
beforeEach(() => {
  clock.now = start;
});

const itemAt = (pk: string) => ({ TableName: store.table.tableName, Key: { pk } });
const item = async (pk: string) => (await store.table.client.send(new GetCommand(itemAt(pk)))).Item;
const seconds = (milliseconds: number) => milliseconds / 1000;

/** Creates a video with an open attempt. */
async function sending(prompt: string): Promise<VideoRecord> {
  const video = aVideo({ status: 'submitting', run: 1 });
  video.input.prompt = prompt;
  await createVideo(store.table, video);
  return (await openSubmission(store.table, video))!;
}

const aVideoSending = (id: string) => ({
  id,
  submission: { attempt: 1, state: 'open' as const, sent_at: '2026-01-01T00:00:00.000Z' },
});

test('a task claim expires three days after its last write, in whole seconds', async () => {
  clock.now = start + 1;
  await claimTask(store.table, 'task-1', aVideoSending('video-1'));
  await markAmbiguous(store.table, 'task-2');
  for (const task of ['task-1', 'task-2'])
    expect(await item(keys.task(task))).toMatchObject({ ttl: seconds(start + hours(72)) });
});

test('an expired claim that still exists stays valid', async () => {
  await claimTask(store.table, 'task-3', aVideoSending('video-3'));
  clock.now += hours(24 * 10);
  expect(await claimTask(store.table, 'task-3', aVideoSending('video-4'))).toBe(false);
  expect(await readTaskClaim(store.table, 'task-3')).toMatchObject({ video_id: 'video-3' });
});

test('a prompt lock expires three days after its last change', async () => {
  const video = await sending('locked');
  const pk = keys.promptLock(video.model, 'locked');
  await acquirePromptLock(store.table, video);
  expect(await item(pk)).toMatchObject({ ttl: seconds(start + hours(72)) });
  clock.now += hours(20);
  await escalatePromptLock(store.table, video);
  expect(await item(pk)).toMatchObject({ ttl: seconds(start + hours(92)) });
});

test('a deleted lock is free, and a late release does not recreate it', async () => {
  const [video, twin] = [await sending('deleted'), await sending('deleted')];
  await escalatePromptLock(store.table, video);
  expect(await isPromptLocked(store.table, twin)).toBe(true);
  const pk = keys.promptLock(video.model, 'deleted');
  await store.table.client.send(new DeleteCommand(itemAt(pk)));
  expect(await isPromptLocked(store.table, twin)).toBe(false);
  await releasePromptLock(store.table, video);
  expect(await item(pk)).toBeUndefined();
  expect(await acquirePromptLock(store.table, twin)).toBe(true);
});
