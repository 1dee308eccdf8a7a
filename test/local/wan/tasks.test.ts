import { describe, expect, test } from 'vitest';
import { bodyFor, createClient, firstFrame, wanForTest } from './support.ts';

const small = { parameters: { resolution: '480P' } };
const day = 24 * 3600;

describe('a task', () => {
  test('goes from PENDING to RUNNING to SUCCEEDED, with the time of each step in UTC+8', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', small));
    const pending = (await client.query(taskId)).body.output;
    expect(pending).toEqual({
      task_id: taskId,
      task_status: 'PENDING',
      submit_time: '2025-09-25 11:07:28.590',
      orig_prompt: 'a cat',
    });
    clock.advance(1);
    const running = (await client.query(taskId)).body.output;
    expect(running).toEqual({ ...pending, task_status: 'RUNNING', scheduled_time: '2025-09-25 11:07:29.190' });
    clock.advance(4.999);
    expect(await client.statusOf(taskId)).toBe('RUNNING');
    clock.advance(0.001);
    const { output, usage } = (await client.query(taskId)).body;
    expect(output).toEqual({
      ...running,
      task_status: 'SUCCEEDED',
      end_time: '2025-09-25 11:07:34.590',
      actual_prompt: expect.stringContaining('a cat'),
      video_url: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:\d+\/.+\.mp4\?Expires=1758856054&OSSAccessKeyId=.+&Signature=.+$/,
      ),
    });
    expect(usage).toEqual({ duration: 5, video_count: 1, SR: 480 });
  });

  test('ends when a test finishes it, and others run on', async () => {
    const { wan, client, clock } = await wanForTest({ limits: 'on' });
    const held = (prompt: string) => bodyFor('wan2.2-i2v-flash', { ...small, input: { prompt } });
    const ids: string[] = [];
    // The model runs two tasks, so the third waits for one of them.
    for (const prompt of ['[[seconds=900]] One', '[[seconds=900]] Other', '[[seconds=900]] One behind']) {
      ids.push(await client.create(held(prompt)));
      clock.advance(1);
    }
    const statuses = () => Promise.all(ids.map(client.statusOf));
    expect(await statuses()).toEqual(['RUNNING', 'RUNNING', 'PENDING']);
    await wan.finishTasks('One');
    expect(await statuses()).toEqual(['SUCCEEDED', 'RUNNING', 'SUCCEEDED']);
    const { output } = (await client.query(ids[0]!)).body;
    expect(output.end_time).toBe('2025-09-25 11:07:31.590');
  });

  test('is UNKNOWN 24 hours after its submission, and its video expires 24 hours after its end', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', small));
    clock.advance(day - 1);
    const { video_url } = (await client.query(taskId)).body.output;
    clock.advance(1);
    const expired = await client.query(taskId);
    expect([expired.status, expired.body]).toEqual([
      200,
      { request_id: expect.any(String), output: { task_id: taskId, task_status: 'UNKNOWN' } },
    ]);
    expect((await client.send('GET', video_url)).status).toBe(200);
    clock.advance(6);
    const gone = await client.send('GET', video_url);
    expect([gone.status, gone.headers.get('content-type')]).toEqual([403, 'application/xml']);
    expect(gone.body).toContain('<Code>AccessDenied</Code>\n  <Message>Request has expired.</Message>');
  });

  test.each(['0385dc79-5ff8-4d82-bcb6-000000000000', 'not-an-id', '%E0%A4%A'])(
    'with the unknown id %s is UNKNOWN',
    async (id) => {
      const { client } = await wanForTest();
      expect((await client.query(id)).body.output).toEqual({ task_id: id, task_status: 'UNKNOWN' });
    },
  );

  test('of another account is UNKNOWN, not listed and cannot be canceled', async () => {
    const { client, wan } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', small));
    const stranger = createClient(wan, 'sk-stranger');
    expect(await stranger.statusOf(taskId)).toBe('UNKNOWN');
    expect((await stranger.list()).body.total).toBe(0);
    expect((await stranger.cancel(taskId)).status).toBe(400);
    expect(await client.statusOf(taskId)).toBe('PENDING');
  });

  test('can be queried and canceled with a trailing slash', async () => {
    const { client } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', small));
    expect((await client.query(`${taskId}/`)).body.output.task_status).toBe('PENDING');
    const reply = await client.send('POST', `/tasks/${taskId}/cancel/`, { Authorization: 'Bearer sk-test' });
    expect([reply.status, reply.body]).toEqual([200, { request_id: expect.any(String) }]);
  });

  test('fails with InternalError.Timeout when it has no result after 3 hours', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', { input: { prompt: '[[seconds=20000]]' } }));
    clock.advance(3 * 3600 - 1);
    expect(await client.statusOf(taskId)).toBe('RUNNING');
    clock.advance(1);
    expect((await client.query(taskId)).body.output).toMatchObject({
      task_status: 'FAILED',
      code: 'InternalError.Timeout',
      end_time: '2025-09-25 14:07:28.590',
    });
  });

  test('of a video effect has empty prompts', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', { input: { template: 'flying' }, ...small }));
    clock.advance(6);
    expect((await client.query(taskId)).body.output).toMatchObject({ orig_prompt: '', actual_prompt: '' });
  });

  test.each([
    ['wan2.5-i2v-preview', true, true],
    ['wan2.5-i2v-preview', false, false],
    ['wan2.1-i2v-turbo', true, true],
  ])('of %s with prompt_extend %s has actual_prompt: %s', async (model, prompt_extend, hasActualPrompt) => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create({
      model,
      input: { img_url: firstFrame },
      parameters: { resolution: '480P', prompt_extend },
    });
    clock.advance(6);
    const { output } = (await client.query(taskId)).body;
    expect(output.orig_prompt).toBe('');
    expect('actual_prompt' in output).toBe(hasActualPrompt);
  });
});

describe('cancel', () => {
  test('makes a PENDING task CANCELED', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', { input: { prompt: '[[pending=100]]' } }));
    clock.advance(99);
    expect(await client.cancel(taskId)).toMatchObject({ status: 200, body: { request_id: expect.any(String) } });
    clock.advance(1000);
    expect((await client.query(taskId)).body.output).toMatchObject({
      task_status: 'CANCELED',
      end_time: '2025-09-25 11:09:07.590',
    });
    expect((await client.cancel(taskId)).status).toBe(400);
  });

  test('rejects a running, an ended and an unknown task', async () => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(bodyFor('wan2.2-i2v-flash', { input: { prompt: '[[fail=SystemError]]' } }));
    const error = {
      status: 400,
      body: {
        code: 'UnsupportedOperation',
        message: 'Failed to cancel the task, please confirm if the task is in PENDING status.',
        request_id: expect.any(String),
      },
    };
    clock.advance(1);
    expect(await client.cancel(taskId)).toMatchObject(error);
    clock.advance(100);
    expect(await client.cancel(taskId)).toMatchObject(error);
    expect(await client.cancel('never')).toMatchObject(error);
    expect(await client.statusOf(taskId)).toBe('FAILED');
  });
});

describe('the list', () => {
  test('is one flat object, newest first, in pages, with times in ms and the request id of the submission', async () => {
    const { client, clock } = await wanForTest();
    const submits = [];
    for (const prompt of ['[[fail=SystemError]]', '[[pending=100]]', '[[unknown]]', 'x']) {
      submits.push((await client.submit(bodyFor('wan2.2-i2v-flash', { input: { prompt } }))).body);
      clock.advance(0.25);
    }
    clock.advance(5.5);
    const { body } = await client.list();
    expect(body).toMatchObject({ total: 3, total_page: 1, page_no: 1, page_size: 10, request_id: expect.any(String) });
    const [running, pending, failed] = body.data;
    expect([running.status, pending.status, failed.status]).toEqual(['RUNNING', 'PENDING', 'FAILED']);
    const created = Date.parse('2025-09-25T03:07:28.590Z');
    expect(failed).toEqual({
      task_id: submits[0].output.task_id,
      status: 'FAILED',
      model_name: 'wan2.2-i2v-flash',
      gmt_create: created,
      start_time: created + 600,
      end_time: created + 6000,
      region: expect.any(String),
      request_id: submits[0].request_id,
      api_key_id: expect.any(String),
      caller_uid: expect.any(String),
      caller_parent_id: expect.any(String),
      user_api_unique_key: expect.any(String),
    });
    expect(running).not.toHaveProperty('orig_prompt');
    expect((await client.list('?page_size=2&page_no=2')).body).toMatchObject({
      total: 3,
      total_page: 2,
      page_no: 2,
      page_size: 2,
      data: [{ task_id: failed.task_id }],
    });
    for (const [query, total] of [
      ['?status=RUNNING', 1],
      [`?task_id=${pending.task_id}`, 1],
      ['?model_name=wan2.6-i2v', 0],
      ['?start_time=20250925110728&end_time=20250925110728', 2],
      ['?start_time=20250925110729', 1],
      ['?end_time=20250925110700', 0],
    ] as const) {
      expect([query, (await client.list(query)).body.total]).toEqual([query, total]);
    }
  });

  test.each([
    '?start_time=2025-09-25',
    '?start_time=20250925000000&end_time=20250926000001',
    '?page_no=0',
    '?page_size=x',
  ])('rejects %s', async (query) => {
    const { client } = await wanForTest();
    const reply = await client.list(query);
    expect([reply.status, reply.body.code]).toEqual([400, 'InvalidParameter']);
  });
});

test('responds to an unknown route with a 404 that names it', async () => {
  const { client } = await wanForTest();
  const reply = await client.send('PUT', '/tasks/1');
  expect([reply.status, reply.body]).toEqual([
    404,
    { code: 'NotFound', message: expect.stringContaining('PUT /api/v1/tasks/1'), request_id: expect.any(String) },
  ]);
});

test('records every request', async () => {
  const { client, wan } = await wanForTest();
  await client.submit('{"model":1}', { 'X-Extra': 'yes' });
  expect(wan.requests).toMatchObject([
    {
      method: 'POST',
      url: '/api/v1/services/aigc/video-generation/video-synthesis',
      headers: { authorization: 'Bearer sk-test', 'x-extra': 'yes' },
      body: '{"model":1}',
    },
  ]);
});
