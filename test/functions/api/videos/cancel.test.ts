import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { stateEtag } from '../../../../functions/api/http/conditional-requests.ts';
import { cancelVideo } from '../../../../functions/api/videos/cancel.ts';
import { readSpending } from '../../../../functions/ledger/spending.ts';
import { openSubmission } from '../../../../functions/ledger/submission.ts';
import { readModelQueue } from '../../../../functions/queue/model-queue.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import { monthOf } from '../../../../functions/video/record.ts';
import { changeStatus, changeVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { anOwner } from '../support.ts';
import {
  aSubmission,
  aTask,
  createActions,
  failedCalls,
  read,
  storeActiveVideo,
  storeVideo,
} from './actions-support.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const store = startTable(() => now);
let actions: ReturnType<typeof createActions>;
const s3 = { send: () => Promise.reject(new Error('Unexpected S3 call.')) };
beforeEach(() => {
  actions = createActions(store.table, s3);
  return () => expect(actions.unexpectedErrors).toEqual([]);
});

const canceled = { status: 'canceled', error: { code: 'canceled', retryable: true, billed: false } };

describe('cancels a video before its submission without calling Wan', () => {
  test.each([
    ['queued', {}],
    ['submitting', {}],
    ['submitting', { submission: aSubmission('settled') }],
  ] as const)('%s %j', async (status, overrides) => {
    const video = await storeVideo(store.table, status, overrides);
    const response = await actions.cancel(video.id);
    expect(response).toMatchObject({ status: 200, body: { id: video.id, ...canceled } });
    expect(await read(store.table, video)).toMatchObject(canceled);
    expect(actions.wanCalls).toEqual([]);
  });

  test('and the ledger refuses a later submission', async () => {
    const video = await storeVideo(store.table, 'submitting');
    await actions.cancel(video.id);
    expect(await openSubmission(store.table, video)).toBeUndefined();
  });

  test('and releases its permit and reservation to the next video', async () => {
    const owner = anOwner();
    const model = 'wan2.1-i2v-plus';
    const video = await storeActiveVideo(store.table, 'submitting', { owner, model });
    const next = await storeVideo(store.table, 'queued', { model });
    actions = createActions(store.table, s3, { permits: 1 });
    await actions.cancel(video.id, { owner });
    expect([...(await readModelQueue(store.table, model)).running]).toEqual([next.id]);
    expect(actions.executions.get(`${next.id}-1`)).toBe('RUNNING');
    expect(await readSpending(store.table, owner, monthOf(now))).toMatchObject({ reserved: 0, spent: 0 });
  });
});

describe('refuses to cancel while the submission is open', () => {
  test.each([
    [{}, '2'],
    [{ uncertain_since: '2026-01-01T00:00:01.000Z' }, '15'],
  ])('%j: retry after %s s', async (overrides, seconds) => {
    const video = await storeVideo(store.table, 'submitting', { submission: { ...aSubmission('open'), ...overrides } });
    const response = await actions.cancel(video.id);
    expect(response).toMatchObject({
      status: 409,
      headers: { 'retry-after': seconds },
      body: { code: 'video_is_starting' },
    });
    expect(await read(store.table, video)).toEqual(video);
  });

  test('also when the ledger opened between read and write', async () => {
    const video = await storeVideo(store.table, 'submitting');
    await openSubmission(store.table, video);
    await expect(cancelVideo(actions.services, video)).rejects.toMatchObject({
      members: { code: 'video_is_starting' },
    });
    expect(await read(store.table, video)).toMatchObject({ status: 'submitting', submission: { state: 'open' } });
  });
});

describe("a task in Wan's queue", () => {
  const running = (status: Parameters<typeof aTask>[0], owner = 'alice') =>
    storeActiveVideo(store.table, 'running', { owner, task: aTask(status), submission: aSubmission('settled') });

  test('is canceled at Wan, then in the record', async () => {
    const owner = anOwner();
    const video = await running('PENDING', owner);
    actions.wanResponses.cancel = { outcome: 'canceled' };
    const response = await actions.cancel(video.id, { owner });
    expect(response).toMatchObject({ status: 200, body: { ...canceled, task: { status: 'CANCELED' } } });
    expect(JSON.stringify(response.body)).not.toContain(video.task!.id);
    expect(actions.wanCalls).toEqual([`cancel ${video.task!.id}`]);
    expect(await readSpending(store.table, owner, monthOf(now))).toMatchObject({ reserved: 0, spent: 0 });
    expect((await readModelQueue(store.table, video.model)).running).not.toContain(video.id);
  });

  test('that is known to run is refused with its cost, without calling Wan', async () => {
    const video = await running('RUNNING');
    const response = await actions.cancel(video.id);
    expect(response).toMatchObject({ status: 409, body: { code: 'video_is_running' } });
    expect(response.body.detail).toMatch(/billed.*0\.1 USD/);
    expect(actions.wanCalls).toEqual([]);
  });

  test.each([
    ['RUNNING', 409, 'video_is_running'],
    ['SUCCEEDED', 409, 'video_is_archiving'],
    ['FAILED', 409, 'video_has_ended'],
    ['UNKNOWN', 503, 'wan_unavailable'],
    ['PENDING', 503, 'wan_unavailable'],
  ] as const)('that Wan does not cancel and reports as %s answers %i %s', async (status, expected, code) => {
    const video = await running('PENDING');
    actions.wanResponses.cancel = { outcome: 'not_pending' };
    actions.wanResponses.query = { outcome: 'task', status, task_id: video.task!.id };
    expect(await actions.cancel(video.id)).toMatchObject({ status: expected, body: { code } });
    // Only RUNNING is recorded, so that the next request need not ask Wan, and clients see it.
    const recorded = status === 'RUNNING' ? { ...video, task: { ...video.task!, status } } : video;
    expect(await read(store.table, video)).toEqual(recorded);
  });

  test('that an earlier request with a lost response canceled is canceled', async () => {
    const video = await running('PENDING');
    actions.wanResponses.cancel = { outcome: 'not_pending' };
    actions.wanResponses.query = { outcome: 'task', status: 'CANCELED', task_id: video.task!.id };
    expect(await actions.cancel(video.id)).toMatchObject({ status: 200, body: canceled });
  });

  test.each(failedCalls)('stays unchanged when Wan does not report its status ($outcome)', async (outcome) => {
    const video = await running('PENDING');
    actions.wanResponses.cancel = outcome;
    const response = await actions.cancel(video.id);
    expect(response).toMatchObject({ status: 503, body: { code: 'wan_unavailable' } });
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(await read(store.table, video)).toEqual(video);
  });
});

test.each([
  ['archiving', 'video_is_archiving', /has been billed/],
  ['succeeded', 'video_has_ended', /succeeded/],
  ['failed', 'video_has_ended', /failed/],
] as const)('refuses to cancel a video that is %s', async (status, code, detail) => {
  const video = await storeVideo(store.table, status, { task: aTask('SUCCEEDED') });
  const response = await actions.cancel(video.id);
  expect(response).toMatchObject({ status: 409, body: { code } });
  expect(response.body.detail).toMatch(detail);
  // Only a video that is being archived still changes.
  expect(response.headers['retry-after']).toBe(status === 'archiving' ? '2' : undefined);
});

test('is idempotent', async () => {
  const video = await storeVideo(store.table, 'queued');
  const first = await actions.cancel(video.id);
  expect(await actions.cancel(video.id)).toEqual(first);
  expect(first.body.timeline.map(({ status }: { status: string }) => status)).toEqual(['queued', 'canceled']);
});

test('reads a video again that changed since it was read', async () => {
  const video = await storeVideo(store.table, 'queued');
  const submitting = await changeStatus(store.table, video, 'submitting', { set: { run: 1 } });
  await changeVideo(store.table, submitting!, { set: { downloads: 1 } });
  expect(await cancelVideo(actions.services, video)).toMatchObject({ status: 'canceled', run: 1 });
});

test('answers 404 for a video that was deleted since it was read', async () => {
  const video = await storeVideo(store.table, 'queued');
  await replaceWithTombstone(store.table, video);
  await expect(cancelVideo(actions.services, video)).rejects.toMatchObject({ status: 404 });
});

describe('If-Match', () => {
  const ifMatch = (etag: string) => ({ headers: { 'if-match': etag } });

  test('cancels only the given state', async () => {
    const video = await storeVideo(store.table, 'queued');
    const stale = await actions.cancel(video.id, ifMatch('"another"'));
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await read(store.table, video)).toEqual(video);
    expect((await actions.cancel(video.id, ifMatch(stateEtag(video)))).status).toBe(200);
  });

  test('is checked again when the video changed before the write', async () => {
    const video = await storeVideo(store.table, 'queued');
    await changeStatus(store.table, video, 'submitting', { set: { run: 1 } });
    const precondition = ({ status }: { status: string }) => {
      if (status !== 'queued') throw new Error('precondition failed');
    };
    await expect(cancelVideo(actions.services, video, precondition)).rejects.toThrow('precondition failed');
    expect((await read(store.table, video)).status).toBe('submitting');
  });
});

test("answers another owner's video like an unknown id", async () => {
  const video = await storeVideo(store.table, 'queued');
  const hidden = await actions.cancel(video.id, { owner: anOwner() });
  expect(hidden).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
  expect(hidden).toEqual(await actions.cancel(randomUUID(), { owner: anOwner() }));
  expect((await read(store.table, video)).status).toBe('queued');
});
