import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { queryTaskResponseBody } from '../../../../functions/api/dashscope/schemas.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import { changeVideo, readVideo } from '../../../../functions/video/store.ts';
import { explainEnding, failureCodes } from '../../../../functions/wan/failures.ts';
import { aDashscope, aTask, moveTo, succeed } from './support.ts';
import { body, taskRequests } from './task-requests.ts';

const { table, turnTo, create, query } = taskRequests();

describe('query', () => {
  test('returns PENDING with the submit time until Wan runs the task', async () => {
    const id = await create();
    const times = { submit_time: '2025-09-25 11:07:28.590' };
    const common = { task_id: id, orig_prompt: 'A cat runs', ...times };
    expect(queryTaskResponseBody.parse(await query(id))).toEqual({
      output: { ...common, task_status: 'PENDING' },
      request_id: 'request-1',
    });
    await moveTo(table(), id, 'submitting');
    expect((await query(id)).output.task_status).toBe('PENDING');
    const { scheduled_time: _, ...pending } = aTask({ status: 'PENDING' });
    await moveTo(table(), id, 'running', { set: { task: pending } });
    expect((await query(id)).output).toEqual({ ...common, task_status: 'PENDING' });
  });

  test('returns RUNNING while the task runs and is archived', async () => {
    const id = await create();
    await moveTo(table(), id, 'running', { set: { task: aTask() } });
    const running = {
      ...{ task_id: id, task_status: 'RUNNING', orig_prompt: 'A cat runs' },
      ...{ submit_time: '2025-09-25 11:07:28.590', scheduled_time: '2025-09-25 11:07:35.349' },
    };
    expect((await query(id)).output).toEqual(running);
    await moveTo(table(), id, 'archiving');
    expect((await query(id)).output).toEqual(running);
  });

  test('returns UNKNOWN when the file has expired, as Wan does', async () => {
    const id = await create();
    await succeed(table(), id, { task: aTask({ status: 'SUCCEEDED' }) });
    const video = (await readVideo(table(), id))!;
    await changeVideo(table(), video, { set: { expires_at: '2025-10-25T00:00:00.000Z' } });
    turnTo('2025-10-24T23:59:59Z');
    expect((await query(id)).output.task_status).toBe('SUCCEEDED');
    turnTo('2025-10-25T00:00:00Z');
    expect((await query(id)).output).toEqual({ task_id: id, task_status: 'UNKNOWN' });
  });

  test('returns a fresh link to the archived video after success, without expiry of the task', async () => {
    const id = await create();
    turnTo('2025-09-25T03:17:11.650Z');
    await succeed(table(), id, { task: aTask({ status: 'SUCCEEDED', actual_prompt: 'A cat runs fast' }) });
    turnTo('2031-01-01T00:00:00Z');
    expect(queryTaskResponseBody.parse(await query(id))).toEqual({
      output: {
        task_id: id,
        task_status: 'SUCCEEDED',
        submit_time: '2025-09-25 11:07:28.590',
        scheduled_time: '2025-09-25 11:07:35.349',
        end_time: '2025-09-25 11:17:11.650',
        orig_prompt: 'A cat runs',
        actual_prompt: 'A cat runs fast',
        video_url: expect.stringMatching(
          /^https:\/\/a1b2c3d4e5\.execute-api\.us-east-1\.amazonaws\.com\/v1\/api\/v1\/files\/[\w-]{70}\.mp4$/,
        ),
      },
      usage: { duration: 5, video_count: 1, SR: 1080 },
      request_id: 'request-1',
    });
  });

  test.each([
    [
      'wan2.6-i2v',
      { resolution: '720P', duration: 10 },
      { duration: 10, input_video_duration: 0, output_video_duration: 10, video_count: 1, SR: 720 },
    ],
    ['wan2.5-i2v-preview', { resolution: '480P', duration: 10 }, { duration: 10, video_count: 1, SR: 480 }],
    ['wan2.2-i2v-flash', {}, { duration: 5, video_count: 1, SR: 720 }],
    ['wan2.1-i2v-turbo', { duration: 3 }, { video_duration: 3, video_ratio: 'standard', video_count: 1 }],
  ])('returns the usage of %s in the format of its family', async (model, parameters, usage) => {
    const id = await create(body({ model, parameters }));
    await succeed(table(), id);
    expect((await query(id)).usage).toEqual(usage);
  });

  test("never returns Wan's ids", async () => {
    const id = await create();
    await succeed(table(), id);
    expect(JSON.stringify(await query(id))).not.toContain("Wan's own");
  });

  test("corrects times that Wan's clock puts out of order", async () => {
    const id = await create();
    await succeed(table(), id, { task: aTask({ scheduled_time: '2025-09-25T03:00:00.000Z' }) });
    const { submit_time, scheduled_time, end_time } = (await query(id)).output;
    expect([submit_time, scheduled_time, end_time]).toEqual(Array(3).fill('2025-09-25 11:07:28.590'));
  });

  test.each(failureCodes)('returns a documented code and the message for %s', async (code) => {
    const id = await create();
    await moveTo(table(), id, 'failed', { set: { error: explainEnding(code) } });
    const response = queryTaskResponseBody.parse(await query(id));
    expect(response.output).toMatchObject({
      task_status: 'FAILED',
      code: expect.stringMatching(
        /^(InvalidParameter|InvalidParameter\.DataInspection|InvalidURL|DataInspectionFailed|IPInfringementSuspect|ModelNotFound|InternalError|InternalError\.Timeout|ModelUnavailable|Throttling\.RateQuota|Arrearage)$/,
      ),
      message: expect.stringContaining(explainEnding(code).message),
    });
    expect(response).not.toHaveProperty('usage');
  });

  test('returns the code of the issue for a refused drop', async () => {
    const id = await create();
    const error = { ...explainEnding('invalid_request'), code: 'image_dimensions', message: 'It is 10 × 10.' };
    await moveTo(table(), id, 'failed', { set: { error } });
    expect((await query(id)).output).toMatchObject({
      code: 'InvalidURL',
      message: `Invalid URL provided in your request. It is 10 × 10. ${error.hint}`,
    });
  });

  test('returns UNKNOWN for an unknown, malformed, deleted or foreign id with the same table calls', async () => {
    const [foreign, deleted] = [await create(body(), { owner: 'bob' }), await create()];
    await succeed(table(), deleted);
    await replaceWithTombstone(table(), (await readVideo(table(), deleted))!);
    const calls: string[] = [];
    const { client } = table();
    const send = (command: { constructor: { name: string } }) => {
      calls.push(command.constructor.name);
      return client.send(command as never);
    };
    const watched = aDashscope({ ...table(), client: { send } as typeof client });
    for (const id of [
      foreign,
      deleted,
      randomUUID(),
      '86ecf553-d340-4e21-xxxxxxxxx',
      'x'.repeat(9000),
      `${deleted}#`,
    ]) {
      const response = await watched.call({ path: `tasks/${id}` });
      expect(response.status).toBe(200);
      expect(queryTaskResponseBody.parse(response.body)).toEqual({
        output: { task_id: id, task_status: 'UNKNOWN' },
        request_id: 'request-1',
      });
      expect(calls.splice(0)).toEqual(['GetCommand']);
      const refused = await watched.call({ method: 'POST', path: `tasks/${id}/cancel` });
      expect(refused).toMatchObject({ status: 400, body: { code: 'UnsupportedOperation' } });
      expect(calls.splice(0)).toEqual(['GetCommand']);
    }
  });
});
