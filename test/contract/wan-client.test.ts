import { describe, expect, test } from 'vitest';
import { findModel } from '../../functions/wan/catalogue.ts';
import type { WanClient } from '../../functions/wan/client/client.ts';
import { billedSeconds } from '../../functions/wan/client/query-task.ts';
import type { TaskRequest } from '../../functions/wan/client/submit-task.ts';
import { explainFailure } from '../../functions/wan/failures.ts';
import { isSamePrompt } from '../../functions/wan/prompt.ts';
import { trustedVideoUrl } from '../../functions/wan/video-host.ts';
import { png } from '../local/wan/support.ts';
import { firstFrame } from '../support/videos.ts';
import { cheapest } from './wan-budget.ts';
import { imageUrl, isLive, openEmulator, openService, type Target, tinyImageUrl } from './wan-target.ts';

/*
 * One suite for the Wan client. By default it runs against the emulator; to check the emulator against the real service:
 *
 *   WAN_LIVE=1 DASHSCOPE_API_KEY=sk-… npx vitest run test/contract/wan-client.test.ts
 *
 * That makes at most one video, the cheapest, and sends nothing that would exceed WAN_LIVE_MAX_USD (0.10). WAN_BASE_URL sets
 * another region or a workspace.
 */
const live = isLive(process.env);
const open = async (): Promise<Target> => (live ? openService(process.env) : openEmulator());
/** Tests that would cost money or hours, or need a directive. */
const emulated = describe.runIf(!live);

const { model, resolution, duration } = cheapest;
const request = (prompt: string, img_url = imageUrl, of: TaskRequest['model'] = model): TaskRequest => ({
  model: of,
  input: { prompt, media: firstFrame(img_url) },
  parameters: { resolution, duration, prompt_extend: true, watermark: false },
});
const upload = { model, name: 'cat.png', bytes: png(640, 480), content_type: 'image/png' } as const;
const minute = 60_000;
const iso = (time: number) => new Date(time).toISOString();
/** The last 20 minutes, and one minute ahead because the clocks may differ. */
const recently = (target: Target) => ({
  model,
  start_time: iso(target.now() - 20 * minute),
  end_time: iso(target.now() + minute),
});
const unknownId = '00000000-dead-4bee-8f00-000000000000';

async function createdTask(client: WanClient, taskRequest: TaskRequest): Promise<string> {
  const created = await client.createTask(taskRequest);
  if (created.outcome !== 'created') throw new Error(`No task: ${JSON.stringify(created)}`);
  return created.task_id;
}

describe(`our client, with ${live ? 'the real service' : 'the emulator'}`, () => {
  test('makes a video from an uploaded image; query and list return it with UTC times', {
    timeout: live ? 20 * minute : 30_000,
  }, async () => {
    const target = await open();
    const { client } = target;
    const uploaded = await client.uploadFile(upload);
    expect(uploaded).toEqual({ outcome: 'uploaded', url: expect.stringMatching(/^oss:\/\/.+\/cat\.png$/) });
    const url = uploaded.outcome === 'uploaded' ? uploaded.url : '';

    const start = target.now();
    const prompt = `A cat runs through the grass, take ${start}`;
    const created = await client.createTask(request(prompt, url));
    expect(created).toEqual({
      outcome: 'created',
      task_id: expect.stringMatching(/^[\w-]+$/),
      task_status: 'PENDING',
      request_id: expect.stringMatching(/\S/),
    });
    if (created.outcome !== 'created') return;

    const listed = await client.listTasks(recently(target));
    expect(listed.outcome).toBe('tasks');
    const row =
      listed.outcome === 'tasks' ? listed.tasks.find(({ task_id }) => task_id === created.task_id) : undefined;
    expect(row?.status).toMatch(/^(PENDING|RUNNING|SUCCEEDED)$/);
    expect(Math.abs(Date.parse(row?.submit_time ?? '') - start)).toBeLessThan(10 * minute);

    const { task, statuses } = await target.ended(created.task_id);
    expect(statuses.at(-1)).toBe('SUCCEEDED');
    expect(statuses.every((status, index) => ['PENDING', 'RUNNING', 'SUCCEEDED'].indexOf(status) >= index)).toBe(true);
    expect(isSamePrompt(findModel(model)!, prompt, task.orig_prompt)).toBe(true);
    expect(billedSeconds(task.usage)).toBe(duration);
    const [submitted = 0, scheduled = 0, ended = 0] = [task.submit_time, task.scheduled_time, task.end_time].map(
      (time) => Date.parse(time ?? ''),
    );
    // Without a conversion they would differ by eight hours.
    expect(Math.abs(submitted - start)).toBeLessThan(10 * minute);
    expect([submitted <= scheduled, scheduled <= ended, ended <= target.now() + 10 * minute]).toEqual([
      true,
      true,
      true,
    ]);

    const trusted = { videoHosts: [], trustedOrigins: target.videoOrigins };
    expect(trustedVideoUrl(task.video_url ?? '', trusted)).toBe(task.video_url);
    const video = await fetch(task.video_url ?? '');
    expect(video.status).toBe(200);
    expect(Buffer.from(await video.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp');
    expect(await client.cancelTask(created.task_id)).toMatchObject({ outcome: 'not_pending' });
  });

  test('an unknown task is UNKNOWN with HTTP 200 and cannot be canceled', async () => {
    const { client } = await open();
    expect(await client.queryTask(unknownId)).toEqual({
      outcome: 'task',
      status: 'UNKNOWN',
      task_id: unknownId,
      request_id: expect.stringMatching(/\S/),
    });
    expect(await client.cancelTask(unknownId)).toMatchObject({ outcome: 'not_pending' });
  });

  test('an invalid key rejects every call as a problem of the account, not of the video', async () => {
    const client = (await open()).withKey('sk-invalid-contract');
    const target = await open();
    for (const call of [
      () => client.createTask(request('A cat')),
      () => client.queryTask(unknownId),
      () => client.listTasks(recently(target)),
      () => client.cancelTask(unknownId),
      () => client.uploadFile(upload),
    ]) {
      expect(await call()).toMatchObject({
        outcome: 'account_refused',
        reason: 'invalid_key',
        code: 'InvalidApiKey',
        retryable: true,
        billed: false,
        request_id: expect.stringMatching(/\S/),
      });
    }
  });

  test('the list is empty for a time range without tasks', async () => {
    const { client, now } = await open();
    const listed = await client.listTasks({
      model: 'wan2.1-i2v-plus',
      start_time: iso(now() - 2000),
      end_time: iso(now() - 1000),
    });
    expect(listed).toMatchObject({ outcome: 'tasks', tasks: [] });
  });
});

emulated('our client, with directives of the emulator', () => {
  test('returns PENDING, RUNNING and SUCCEEDED in this order, each with its times', async () => {
    const target = await openEmulator();
    const taskId = await createdTask(target.client, request('A cat'));
    const start = iso(target.now());
    const pending = await target.client.queryTask(taskId);
    expect(pending).toMatchObject({ status: 'PENDING', submit_time: start, orig_prompt: 'A cat' });
    expect(pending).not.toHaveProperty('scheduled_time');
    target.advance(2);
    const running = await target.client.queryTask(taskId);
    expect(running).toMatchObject({ status: 'RUNNING', scheduled_time: iso(Date.parse(start) + 1000) });
    expect(running).not.toHaveProperty('end_time');
    target.advance(58);
    expect((await target.ended(taskId)).task).toMatchObject({
      status: 'SUCCEEDED',
      end_time: iso(Date.parse(start) + 60_000),
      actual_prompt: expect.stringContaining('A cat'),
      usage: { duration: 5, video_count: 1, SR: 480 },
    });
  });

  test.each([
    ['DataInspectionFailed', 'content_refused', false],
    ['InvalidParameter', 'invalid_request', false],
    ['InternalError.Algo', 'generation_failed', true],
    ['InvalidURL.Timeout', 'image_unreachable', true],
  ] as const)('a task that fails with %s has the failure %s and is not billed', async (code, failure, retryable) => {
    const target = await openEmulator();
    const taskId = await createdTask(target.client, request(`A cat [[fail=${code}]]`));
    target.advance(61);
    const { task } = await target.ended(taskId);
    expect(task).toMatchObject({ status: 'FAILED', code, message: expect.stringMatching(/\S/) });
    expect([task.usage, task.video_url]).toEqual([undefined, undefined]);
    expect(explainFailure({ code: task.code, message: task.message, stage: 'task' })).toMatchObject({
      code: failure,
      retryable,
      billed: false,
    });
  });

  test('a task without a result fails after 3 hours and is UNKNOWN after 24', async () => {
    const target = await openEmulator();
    const slow = await createdTask(target.client, request('[[seconds=20000]]'));
    const unknown = await createdTask(target.client, request('A cat [[unknown]]'));
    expect(await target.client.queryTask(unknown)).toMatchObject({ outcome: 'task', status: 'UNKNOWN' });
    target.advance(3 * 3600);
    expect(await target.client.queryTask(slow)).toMatchObject({ status: 'FAILED', code: 'InternalError.Timeout' });
    target.advance(21 * 3600);
    expect(await target.client.queryTask(slow)).toMatchObject({ outcome: 'task', status: 'UNKNOWN' });
  });

  test('a PENDING task can be canceled, a running one cannot', async () => {
    const target = await openEmulator();
    const waiting = await createdTask(target.client, request('[[pending=100]]'));
    const running = await createdTask(target.client, request('[[seconds=100]]'));
    expect(await target.client.cancelTask(waiting)).toEqual({
      outcome: 'canceled',
      request_id: expect.stringMatching(/\S/),
    });
    expect(await target.client.cancelTask(running)).toMatchObject({ outcome: 'not_pending' });
    expect(await target.client.queryTask(waiting)).toMatchObject({ outcome: 'task', status: 'CANCELED' });
    expect(await target.client.queryTask(running)).toMatchObject({ outcome: 'task', status: 'RUNNING' });
  });

  test('submissions over the rate limit are throttled for a second', async () => {
    const target = await openEmulator();
    const outcomes = async (count: number) => {
      const outcomes: string[] = [];
      for (let call = 0; call < count; call += 1)
        outcomes.push((await target.client.createTask(request('A cat'))).outcome);
      return outcomes;
    };
    expect(await outcomes(3)).toEqual(['created', 'created', 'throttled']);
    target.advance(1);
    expect(await outcomes(1)).toEqual(['created']);
    const throttled = await target.withKey('sk-throttled-1').queryTask(unknownId);
    expect(throttled).toMatchObject({
      outcome: 'throttled',
      code: 'Throttling.RateQuota',
      retryable: true,
      billed: false,
    });
  });

  test('more than 20 queries per second are throttled', async () => {
    const target = await openEmulator();
    const responses = await Promise.all(Array.from({ length: 21 }, () => target.client.queryTask(unknownId)));
    expect(responses.filter(({ outcome }) => outcome === 'throttled')).toHaveLength(1);
  });

  test.each([
    ['500:InternalError', { outcome: 'unavailable', cause: 'InternalError', retryable: true }],
    ['500:SystemError', { outcome: 'unavailable', cause: 'SystemError', retryable: true }],
    ['503:ModelServingError', { outcome: 'unavailable', cause: 'ModelServingError', retryable: true }],
    ['429:Throttling.BurstRate', { outcome: 'throttled', retryable: true }],
    ['400:Arrearage', { outcome: 'account_refused', reason: 'arrears', retryable: true }],
    ['403:AccessDenied.Unpurchased', { outcome: 'account_refused', reason: 'access_denied', retryable: true }],
    ['403:AllocationQuota.FreeTierOnly', { outcome: 'account_refused', reason: 'quota', retryable: true }],
    ['400:IPInfringementSuspect', { outcome: 'refused', reason: 'moderation', retryable: false }],
    ['404:ModelNotFound', { outcome: 'refused', reason: 'model', retryable: false }],
  ])('a submission rejected with %s has a known outcome and creates no task', async (error, expected) => {
    const target = await openEmulator();
    const outcome = await target.client.createTask(request(`A cat [[http=${error}]]`));
    expect(outcome).toMatchObject({ ...expected, code: error.split(':')[1], billed: false });
    expect(await target.client.listTasks(recently(target))).toMatchObject({ outcome: 'tasks', tasks: [] });
  });

  test.each([
    ['is too small', tinyImageUrl, 'input'],
    ['does not exist', 'https://images.example/none.png', 'image_download'],
    ['is an upload of another model', 'oss://dashscope-instant/none/cat.png', 'image_download'],
  ])('an image that %s is rejected during the submission', async (_, url, reason) => {
    const { client } = await openEmulator();
    expect(await client.createTask(request('A cat', url))).toMatchObject({ outcome: 'refused', reason, billed: false });
  });

  test('a submission without a response is unknown; list and prompt identify its task', async () => {
    const target = await openEmulator();
    const { client } = target;
    const other = await createdTask(client, request('Another cat'));
    const lost = request('A cat whose response is lost [[reset]]');
    expect(await client.createTask(lost)).toEqual({
      outcome: 'unknown',
      cause: expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/),
      retryable: false,
    });
    const listed = await client.listTasks(recently(target));
    const tasks = listed.outcome === 'tasks' ? listed.tasks.map(({ task_id }) => task_id) : [];
    expect(tasks).toHaveLength(2);
    const found: string[] = [];
    for (const taskId of tasks) {
      const task = await client.queryTask(taskId);
      if (task.outcome === 'task' && isSamePrompt(findModel(model)!, lost.input.prompt, task.orig_prompt))
        found.push(taskId);
    }
    expect(found).toEqual(tasks.filter((taskId) => taskId !== other));
    expect((await target.ended(found[0] ?? '')).task.status).toBe('SUCCEEDED');
  });

  test('an unreachable service is unavailable, and nothing was sent', async () => {
    const { client, wan } = await openEmulator();
    await wan.close();
    expect(await client.createTask(request('A cat'))).toMatchObject({ outcome: 'unavailable', cause: 'ECONNREFUSED' });
  });
});
