import { expect, test } from 'vitest';
import type { Dispatcher } from '../../../functions/queue/dispatch.ts';
import { claimPermit, readModelQueue } from '../../../functions/queue/model-queue.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import { explainEnding } from '../../../functions/wan/failures.ts';
import { recordFailure } from '../../../functions/workflow/record-failure.ts';
import { startTable } from '../../support/table.ts';
import { aTask, aVideo } from '../../support/videos.ts';
import { scriptedExecutions } from './support.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
let models = 0;
const store = startTable(() => now);

async function open(given: Partial<VideoRecord>) {
  const model = `model-${++models}`;
  const video = aVideo({ model, status: 'submitting', run: 1, ...given });
  await createVideo(store.table, video);
  const dispatcher: Dispatcher = {
    table: store.table,
    workflow: scriptedExecutions().workflow,
    limitsOf: () => ({ model, permits: 1, submit_interval_ms: 1 }),
  };
  await claimPermit(store.table, await dispatcher.limitsOf(model), video);
  const after = async () => ({
    video: (await readVideo(store.table, video.id))!,
    permits: (await readModelQueue(store.table, model)).running.size,
  });
  return { video, dispatcher, after };
}
const alive = aTask();
const expired = aTask({ expires_at: '2026-01-01T00:00:30.000Z' });

test('writes a failure value unchanged and releases the permit', async () => {
  const { video, dispatcher, after } = await open({ status: 'running', task: alive });
  const error = explainEnding('content_refused', 'request-1');
  expect(await recordFailure(dispatcher, { id: video.id, run: 1, error })).toEqual({
    id: video.id,
    run: 1,
    outcome: 'failed',
  });
  const { video: record, permits } = await after();
  expect(record).toMatchObject({ status: 'failed', error, timeline: [{ status: 'queued' }, { status: 'failed' }] });
  expect(permits).toBe(0);
});

test.each([
  ['WanThrottled', {}, 'rate_limited'],
  ['WanUnavailable', {}, 'service_unavailable'],
  ['TypeError', { run: 8 }, 'internal_error'],
  ['ArchiveInterrupted', { status: 'archiving' as const, task: expired }, 'video_lost'],
  ['VideoBroken', { status: 'archiving' as const, task: expired }, 'video_broken'],
  ['WanUnavailable', { status: 'running' as const, task: expired }, 'task_expired'],
  ['TaskUnknown', { status: 'running' as const, task: alive }, 'task_expired'],
  ['TaskUnknown', { status: 'archiving' as const, task: alive }, 'video_lost'],
])('%s with %j ends as %s', async (name, given, code) => {
  const { video, dispatcher, after } = await open(given);
  await recordFailure(dispatcher, { id: video.id, run: video.run, error: { Error: name, Cause: '{}' } });
  const { video: record } = await after();
  expect(record.error?.code).toBe(code);
  expect(record.error?.message).toBeTruthy();
  expect(record.error?.hint).toBeTruthy();
});

test.each([
  ['running, its task alive', { status: 'running' as const, task: alive }],
  ['archiving, its task alive', { status: 'archiving' as const, task: alive }],
  [
    'submitting, a response lost',
    { submission: { attempt: 1, state: 'open' as const, sent_at: '2026-01-01T00:00:00.000Z' } },
  ],
])('an unexpected error does not end a video whose result can still be fetched: %s', async (_, given) => {
  const { video, dispatcher, after } = await open(given);
  for (const name of ['TypeError', 'VideoBroken']) {
    const input = { id: video.id, run: 1, error: { Error: name, Cause: 'secret' } };
    await expect(recordFailure(dispatcher, input)).rejects.toThrow(expect.objectContaining({ name: 'Unhandled' }));
    expect((await after()).video.status).toBe(video.status);
  }
});

test('does not change an ended video or one with a newer run', async () => {
  const error = explainEnding('internal_error');
  const ended = await open({ status: 'succeeded' });
  const input = { id: ended.video.id, run: 1 };
  expect(await recordFailure(ended.dispatcher, { ...input, error })).toEqual({ ...input, outcome: 'settled' });
  expect((await ended.after()).video.status).toBe('succeeded');
  const newer = await open({ run: 2 });
  expect(await recordFailure(newer.dispatcher, { id: newer.video.id, run: 1, error })).toMatchObject({
    outcome: 'settled',
  });
  expect(await newer.after()).toMatchObject({ video: { status: 'submitting' }, permits: 1 });
});

test('requeues and restarts a video that waited for the prompt lock', async () => {
  const { video, dispatcher, after } = await open({});
  const input = { id: video.id, run: 1, error: { Error: 'PromptLocked', Cause: '{}' } };
  expect(await recordFailure(dispatcher, input)).toMatchObject({ outcome: 'requeued' });
  expect(await after()).toMatchObject({ video: { status: 'submitting', run: 2, earlier_runs: 1 }, permits: 1 });
  // The state machine may repeat the step after a crash.
  expect(await recordFailure(dispatcher, input)).toMatchObject({ outcome: 'settled' });
  expect(await after()).toMatchObject({ video: { status: 'submitting', run: 2 }, permits: 1 });
});

test.each([
  ['never sent', {}],
  [
    'throttled by Wan before',
    { submission: { attempt: 1, state: 'settled' as const, sent_at: '2026-01-01T00:00:00.000Z' } },
  ],
])('an unexpected error before Wan was called gives a video another run, up to 8: %s', async (_, given) => {
  const { video, dispatcher, after } = await open(given);
  const statuses: string[] = [];
  for (let record = video; record.status === 'submitting'; record = (await after()).video) {
    await recordFailure(dispatcher, { id: record.id, run: record.run, error: { Error: 'TypeError', Cause: '{}' } });
    statuses.push(record.status);
  }
  expect(statuses).toHaveLength(8);
  expect(await after()).toMatchObject({ video: { status: 'failed', error: { code: 'internal_error' } }, permits: 0 });
});

test('does not fail a queued video', async () => {
  const { video, dispatcher, after } = await open({ status: 'queued' });
  await recordFailure(dispatcher, { id: video.id, run: 1, error: { Error: 'TypeError', Cause: '{}' } });
  expect((await after()).video.status).toBe('queued');
});

test('a video that adopts its task during the failure keeps its permit and does not fail', async () => {
  const { video, dispatcher, after } = await open({});
  const input = { id: video.id, run: 1, error: { Error: 'TypeError', Cause: '{}' } };
  let interrupted = false;
  const send = async (command: { constructor: { name: string } }) => {
    if (command.constructor.name === 'UpdateCommand' && !interrupted) {
      interrupted = true;
      await changeStatus(store.table, video, 'running', { set: { task: alive } });
    }
    return store.table.client.send(command as never);
  };
  const table = { ...dispatcher.table, client: { send } as never };
  await expect(recordFailure({ ...dispatcher, table }, input)).rejects.toThrow();
  await expect(recordFailure(dispatcher, input)).rejects.toThrow(expect.objectContaining({ name: 'Unhandled' }));
  expect(await after()).toMatchObject({ video: { status: 'running' }, permits: 1 });
});
