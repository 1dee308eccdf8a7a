import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { stateEtag } from '../../../../functions/api/http/conditional-requests.ts';
import { retryVideo } from '../../../../functions/api/videos/retry.ts';
import { escalatePromptLock, isPromptLocked } from '../../../../functions/ledger/prompt-lock.ts';
import { readSpending, reserveSpending } from '../../../../functions/ledger/spending.ts';
import { openSubmission } from '../../../../functions/ledger/submission.ts';
import { readModelQueue } from '../../../../functions/queue/model-queue.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { changeStatus } from '../../../../functions/video/store.ts';
import { explainEnding, type FailureCode } from '../../../../functions/wan/failures.ts';
import { createTask } from '../../../../functions/workflow/create-task.ts';
import { startTable } from '../../../support/table.ts';
import { firstFrame } from '../../../support/videos.ts';
import { scriptedWan, servicesFor } from '../../workflow/support.ts';
import { anArchivedVideo, anOwner } from '../support.ts';
import {
  aPrice,
  aSubmission,
  aTask,
  createActions,
  failedCalls,
  read,
  storeActiveVideo,
  storeVideo,
} from './actions-support.ts';

const start = Date.parse('2026-01-01T12:00:00Z');
const clock = { now: start };
const store = startTable(() => clock.now);
let actions: ReturnType<typeof createActions>;
const s3 = { send: () => Promise.reject(new Error('Unexpected S3 call.')) };
beforeEach(() => {
  clock.now = start;
  actions = createActions(store.table, s3);
  return () => expect(actions.unexpectedErrors).toEqual([]);
});

const failed = (code: FailureCode, overrides: Partial<VideoRecord> = {}) =>
  storeVideo(store.table, 'failed', { model: 'wan2.2-i2v-plus', error: explainEnding(code), ...overrides });

describe('a new attempt', () => {
  test('starts like a new video, with the next attempt in the ledger', async () => {
    const video = await failed('generation_failed', {
      model: 'wan2.6-i2v',
      owner: anOwner(),
      run: 3,
      task: aTask('FAILED'),
      upstream_tasks: 1,
      submission: { ...aSubmission('settled', 2) },
      spending_month: '2025-12',
      timeline: [{ status: 'failed', at: '2026-01-01T00:01:00.000Z' }],
    });
    const response = await actions.retry(video.id, { owner: video.owner });
    expect(response).toMatchObject({
      status: 202,
      body: { id: video.id, status: 'submitting', progress: 0, warnings: [] },
    });
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    const { task, upstream_tasks, error, ...rest } = video;
    const at = new Date(start).toISOString();
    expect(await read(store.table, video)).toEqual({
      ...rest,
      status: 'submitting',
      run: 4,
      earlier_runs: 3,
      spending_month: '2026-01',
      updated_at: at,
      timeline: [...video.timeline, { status: 'queued', at }, { status: 'submitting', at }],
    });
    expect([...actions.executions]).toEqual([[`${video.id}-4`, 'RUNNING']]);
    expect(await openSubmission(store.table, await read(store.table, video))).toMatchObject({
      submission: { attempt: 3 },
    });
    expect(actions.wanCalls).toEqual([]);
  });

  test('waits while the model has no free permit', async () => {
    const model = 'wan2.1-i2v-turbo';
    actions = createActions(store.table, s3, { permits: 1 });
    await storeActiveVideo(store.table, 'running', { model });
    const video = await failed('service_unavailable', { model });
    expect(await actions.retry(video.id)).toMatchObject({ status: 202, body: { status: 'queued' } });
    expect(actions.executions.size).toBe(0);
  });

  test('starts for a video that was canceled before its submission', async () => {
    const video = await storeVideo(store.table, 'canceled', {
      run: 0,
      model: 'wan2.1-i2v-plus',
      error: explainEnding('canceled'),
    });
    expect((await actions.retry(video.id)).body).toMatchObject({ status: 'submitting' });
    expect([...actions.executions.keys()]).toEqual([`${video.id}-1`]);
  });

  test('warns of double billing only if the last attempt may have been billed', async () => {
    const codes = ['submission_uncertain', 'task_expired', 'video_lost', 'generation_failed', 'task_canceled'] as const;
    const warned = [];
    for (const code of codes) {
      const video = await failed(code);
      const { body } = await actions.retry(video.id);
      if (body.warnings.some((warning: { code: string }) => warning.code === 'may_be_billed_twice')) warned.push(code);
    }
    expect(warned).toEqual(codes.slice(0, 3));
  });

  test('keeps one warning through further retries', async () => {
    const video = await failed('video_lost');
    await actions.retry(video.id);
    for (const code of ['video_lost', 'generation_failed'] as const) {
      await changeStatus(store.table, await read(store.table, video), 'failed', {
        set: { error: explainEnding(code) },
      });
      const { body } = await actions.retry(video.id);
      expect(body.warnings).toMatchObject([{ code: 'may_be_billed_twice' }]);
    }
  });

  test('is not blocked by the prompt lock of the last attempt', async () => {
    const video = await failed('submission_uncertain', {
      input: { prompt: `lost ${randomUUID()}`, media: firstFrame('https://example.com/cat.png') },
      submission: aSubmission('open'),
    });
    await escalatePromptLock(store.table, video);
    await actions.retry(video.id);
    const now = await read(store.table, video);
    expect(now.submission).toMatchObject({ state: 'settled', attempt: 1 });
    expect(await isPromptLocked(store.table, now)).toBe(false);
  });

  test('releases the permit and reservation of the last attempt first', async () => {
    const owner = anOwner();
    const model = 'wan2.2-i2v-flash';
    const video = await storeActiveVideo(store.table, 'failed', { owner, model, error: explainEnding('video_lost') });
    await actions.retry(video.id, { owner });
    expect(await readSpending(store.table, owner, '2026-01')).toMatchObject({ reserved: 0, spent: aPrice.amount });
    expect([...(await readModelQueue(store.table, model)).running]).toEqual([video.id]);
  });
});

describe('queries a task that Wan may still have, without a new payment', () => {
  const submitted = () => ({ owner: anOwner(), task: aTask('RUNNING'), submission: aSubmission('settled'), run: 2 });

  test('archives a finished task in a new execution', async () => {
    const video = await failed('video_broken', submitted());
    const usage = { duration: 5 };
    actions.wanResponses.query = {
      outcome: 'task',
      status: 'SUCCEEDED',
      task_id: video.task!.id,
      video_url: 'https://x',
      usage,
    };
    const response = await actions.retry(video.id, { owner: video.owner });
    expect(response).toMatchObject({ status: 202, body: { status: 'archiving', progress: 90, warnings: [] } });
    expect(response.body.error).toBeUndefined();
    const now = await read(store.table, video);
    expect(now).toMatchObject({ run: 3, earlier_runs: 2, usage, task: { id: video.task!.id, status: 'SUCCEEDED' } });
    expect([...actions.executions]).toEqual([[`${video.id}-3`, 'RUNNING']]);
    const wan = { ...scriptedWan(store.table.now).wan, queryTask: async () => actions.wanResponses.query! };
    const services = { ...servicesFor(store.table, clock, wan), ...actions.services, wan };
    expect(await createTask(services, now)).toEqual({ id: now.id, run: 3, outcome: 'succeeded' });
  });

  test.each(['PENDING', 'RUNNING'] as const)('waits for a task that is %s, with a permit', async (status) => {
    const model = status === 'PENDING' ? 'wan2.5-i2v-preview' : 'wan2.1-i2v-plus';
    const video = await failed('deadline_exceeded', { ...submitted(), model });
    actions.wanResponses.query = { outcome: 'task', status, task_id: video.task!.id };
    const response = await actions.retry(video.id, { owner: video.owner });
    expect(response).toMatchObject({ status: 202, body: { status: 'running', task: { status } } });
    expect([...actions.executions]).toEqual([[`${video.id}-3`, 'RUNNING']]);
    expect((await readModelQueue(store.table, model)).running).toContain(video.id);
  });

  test.each(['FAILED', 'CANCELED', 'UNKNOWN'] as const)(
    'starts a new attempt for a task that is %s',
    async (status) => {
      const video = await failed('task_expired', submitted());
      actions.wanResponses.query = { outcome: 'task', status, task_id: video.task!.id };
      const { body } = await actions.retry(video.id, { owner: video.owner });
      expect(['queued', 'submitting']).toContain(body.status);
      expect(body.task).toBeUndefined();
      expect(actions.wanCalls).toEqual([`query ${video.task!.id}`]);
    },
  );

  test.each(failedCalls)('changes nothing when Wan does not report the status ($outcome)', async (outcome) => {
    const video = await failed('deadline_exceeded', submitted());
    actions.wanResponses.query = outcome;
    const response = await actions.retry(video.id, { owner: video.owner });
    expect(response).toMatchObject({ status: 503, body: { code: 'wan_unavailable' } });
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(await read(store.table, video)).toEqual(video);
  });

  test('does not query a task after 24 hours', async () => {
    const video = await failed('video_lost', submitted());
    clock.now = Date.parse('2026-01-02T00:00:00Z');
    await actions.retry(video.id, { owner: video.owner });
    expect(actions.wanCalls).toEqual([]);
    expect((await read(store.table, video)).task).toBeUndefined();
  });

  test('answers 202 when the execution cannot be started: the sweep starts it', async () => {
    const video = await failed('video_broken', submitted());
    actions.wanResponses.query = { outcome: 'task', status: 'SUCCEEDED', task_id: video.task!.id };
    actions.services.workflow = { ...actions.services.workflow, client: s3 as never };
    expect((await actions.retry(video.id, { owner: video.owner })).status).toBe(202);
    expect(actions.unexpectedErrors.splice(0)).toHaveLength(1);
  });
});

describe('the spending limit', () => {
  test('refuses a new attempt, but not the fetch of a finished task', async () => {
    actions = createActions(store.table, s3, { monthlySpendingLimit: 0.15 });
    const owner = anOwner();
    await reserveSpending(store.table, await storeVideo(store.table, 'submitting', { owner }), undefined);
    const unbilled = await failed('generation_failed', { owner });
    expect(await actions.retry(unbilled.id, { owner })).toMatchObject({
      status: 403,
      body: { code: 'spending_limit_reached' },
    });
    expect(await read(store.table, unbilled)).toEqual(unbilled);
    const finished = await failed('video_broken', { owner, task: aTask('SUCCEEDED') });
    actions.wanResponses.query = { outcome: 'task', status: 'SUCCEEDED', task_id: finished.task!.id };
    expect((await actions.retry(finished.id, { owner })).status).toBe(202);
  });
});

describe('starts nothing', () => {
  test.each(['submitting', 'running', 'archiving'] as const)('for a video that is %s', async (status) => {
    const video = await storeVideo(store.table, status, { task: aTask('RUNNING') });
    expect(await actions.retry(video.id)).toMatchObject({ status: 202, body: { status } });
    expect(await read(store.table, video)).toEqual(video);
    expect(actions.executions.size).toBe(0);
  });

  test('for a queued video, except a dispatch', async () => {
    const video = await storeVideo(store.table, 'queued', { model: 'wan2.6-i2v', owner: anOwner() });
    expect((await actions.retry(video.id, { owner: video.owner })).status).toBe(202);
    expect((await read(store.table, video)).timeline.map(({ status }) => status)).not.toContain('failed');
  });

  test('for a video that has succeeded', async () => {
    const video = await storeVideo(store.table, 'succeeded', { video: anArchivedVideo });
    expect(await actions.retry(video.id)).toMatchObject({ status: 409, body: { code: 'video_has_succeeded' } });
  });

  test.each([{ parameters: {} }, { model: 'wan-of-tomorrow' }])(
    'for a video with an incomplete request: %j',
    async (overrides) => {
      const error = {
        code: 'image_too_small',
        message: 'It is too small.',
        retryable: false,
        billed: false,
        hint: 'Resize it.',
      };
      const video = await storeVideo(store.table, 'failed', { error, ...overrides });
      const response = await actions.retry(video.id);
      expect(response).toMatchObject({ status: 409, body: { code: 'video_not_retryable' } });
      expect(response.body.detail).toBe('It is too small. Resize it.');
      expect(await read(store.table, video)).toEqual(video);
    },
  );

  test('for the slower of two concurrent retries, which returns the video of the faster one', async () => {
    const video = await failed('generation_failed', { model: 'wan2.5-i2v-preview' });
    await actions.retry(video.id);
    const restarted = await read(store.table, video);
    expect(await retryVideo(actions.services, video)).toEqual(restarted);
  });

  test('for a video that was deleted concurrently', async () => {
    const video = await failed('generation_failed');
    await replaceWithTombstone(store.table, video);
    await expect(retryVideo(actions.services, video)).rejects.toMatchObject({ status: 404 });
  });

  test('when If-Match names another state', async () => {
    const video = await failed('generation_failed');
    const stale = await actions.retry(video.id, { headers: { 'if-match': '"another"' } });
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await read(store.table, video)).toEqual(video);
    const headers = { 'if-match': stateEtag(video) };
    expect((await actions.retry(video.id, { headers })).status).toBe(202);
    expect((await actions.retry(video.id, { headers })).status).toBe(412);
  });

  test("for another owner's video, which answers like an unknown id", async () => {
    const video = await failed('generation_failed');
    const hidden = await actions.retry(video.id, { owner: anOwner() });
    expect(hidden).toMatchObject({ status: 404, body: { code: 'video_not_found' } });
    expect(hidden).toEqual(await actions.retry(randomUUID(), { owner: anOwner() }));
    expect(await read(store.table, video)).toEqual(video);
  });
});
