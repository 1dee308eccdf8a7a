import { describe, expect, test } from 'vitest';
import { bodyFor, wanForTest } from './support.ts';

/** The reference's "Request body", independent of the emulator's own table. */
const documented = [
  { model: 'wan2.6-i2v', tiers: ['720P', '1080P'], durations: [5, 10, 15], audio: true },
  { model: 'wan2.5-i2v-preview', tiers: ['480P', '720P', '1080P'], durations: [5, 10], audio: true },
  { model: 'wan2.2-i2v-flash', tiers: ['480P', '720P'], durations: [5], audio: false },
  { model: 'wan2.2-i2v-plus', tiers: ['480P', '1080P'], durations: [5], audio: false },
  { model: 'wan2.1-i2v-turbo', tiers: ['480P', '720P'], durations: [3, 4, 5], audio: false },
  { model: 'wan2.1-i2v-plus', tiers: ['720P'], durations: [5], audio: false },
];

describe.each(documented)('$model', ({ model, tiers, durations, audio }) => {
  test('accepts its documented resolutions and durations and rejects all others', async () => {
    const { client } = await wanForTest();
    for (const resolution of ['480P', '720P', '1080P', '720p', '4K', 720]) {
      const reply = await client.submit(bodyFor(model, { parameters: { resolution } }));
      expect([resolution, reply.status]).toEqual([resolution, tiers.includes(String(resolution)) ? 200 : 400]);
      if (reply.status === 400) expect(reply.body.code).toBe('InvalidParameter');
    }
    for (const duration of [0, 2, 3, 4, 5, 6, 10, 15, 20, 5.5, '5']) {
      const reply = await client.submit(bodyFor(model, { parameters: { duration } }));
      expect([duration, reply.status]).toEqual([
        duration,
        durations.includes(Number(duration)) && duration !== '5' ? 200 : 400,
      ]);
    }
  });

  test('accepts shot_type only if it is wan2.6, audio_url only from wan2.5 on', async () => {
    const { client } = await wanForTest();
    const shots = await client.submit(bodyFor(model, { parameters: { shot_type: 'multi' } }));
    expect(shots.status).toBe(model === 'wan2.6-i2v' ? 200 : 400);
    const reply = await client.submit(bodyFor(model, { input: { audio_url: 'ftp://no.such/audio' } }));
    expect(reply.body.message).toBe(
      audio ? 'url error, please check url！' : `input.audio_url is not supported by ${model}`,
    );
  });
});

test.each([
  ['prompt_extend', true, 200],
  ['prompt_extend', 'yes', 400],
  ['watermark', false, 200],
  ['watermark', 1, 400],
  ['seed', 0, 200],
  ['seed', 2147483647, 200],
  ['seed', 2147483648, 400],
  ['seed', -1, 400],
  ['seed', 1.5, 400],
  ['shot_type', 'single', 200],
  ['shot_type', 'triple', 400],
  ['resolution', null, 200],
])('responds to parameters.%s %j with %i', async (name, value, status) => {
  const { client } = await wanForTest();
  const reply = await client.submit(bodyFor('wan2.6-i2v', { parameters: { [name]: value } }));
  expect(reply.status).toBe(status);
  if (status === 400)
    expect(reply.body).toMatchObject({ code: 'InvalidParameter', message: expect.stringContaining(name) });
});

test.each([
  ['no JSON', '{', 400, 'InvalidParameter', 'Required body invalid, please check the request body format.'],
  ['a list', [], 400, 'InvalidParameter', 'Required body invalid, please check the request body format.'],
  ['no model', { input: {} }, 400, 'BadRequest.EmptyModel', 'Required parameter "model" missing from request.'],
  ['an unknown model', bodyFor('wan9'), 404, 'ModelNotFound', 'Model can not be found.'],
  ['a model that is not a string', { model: 7 }, 404, 'ModelNotFound', 'Model can not be found.'],
  [
    'no input',
    { model: 'wan2.6-i2v' },
    400,
    'BadRequest.EmptyInput',
    'Required parameter "input" missing from request.',
  ],
  [
    'an input that is not an object',
    { model: 'wan2.6-i2v', input: 'x' },
    400,
    'BadRequest.IllegalInput',
    expect.any(String),
  ],
  ['no image', { model: 'wan2.6-i2v', input: {} }, 400, 'InvalidParameter', 'Field required: input.img_url'],
  [
    'a prompt that is not a string',
    bodyFor('wan2.6-i2v', { input: { prompt: 1 } }),
    400,
    'InvalidParameter',
    expect.stringContaining('prompt'),
  ],
  [
    'parameters that are not an object',
    { ...bodyFor('wan2.6-i2v'), parameters: 3 },
    400,
    'InvalidParameter',
    expect.any(String),
  ],
  [
    'an empty image',
    bodyFor('wan2.6-i2v', { input: { img_url: '' } }),
    400,
    'InvalidParameter',
    'url error, please check url！',
  ],
  [
    'a local file',
    bodyFor('wan2.6-i2v', { input: { img_url: 'file:///a.png' } }),
    400,
    'InvalidParameter',
    'url error, please check url！',
  ],
])('rejects a body with %s as documented', async (_case, body, status, code, message) => {
  const { client } = await wanForTest();
  const reply = await client.submit(body);
  expect(reply.status).toBe(status);
  expect(reply.headers.get('content-type')).toBe('application/json');
  expect(reply.body).toEqual({ code, message, request_id: expect.any(String) });
});

test.each([
  [
    'the async header',
    { 'X-DashScope-Async': '' },
    403,
    'AccessDenied',
    'current user api does not support synchronous calls.',
  ],
  ['a key', { Authorization: '' }, 401, 'InvalidApiKey', 'No API-key provided.'],
  ['a valid key', { Authorization: 'Bearer sk-invalid-1' }, 401, 'InvalidApiKey', 'Invalid API-key provided.'],
  ['a key of this service', { Authorization: 'Bearer other' }, 401, 'InvalidApiKey', 'Invalid API-key provided.'],
  [
    'an unthrottled key',
    { Authorization: 'Bearer sk-throttled' },
    429,
    'Throttling.RateQuota',
    'Requests rate limit exceeded, please try again later.',
  ],
  [
    'a JSON content type',
    { 'Content-Type': 'text/plain' },
    400,
    'InvalidParameter',
    expect.stringContaining('Required body invalid'),
  ],
])('rejects a submission without %s as documented', async (_case, headers, status, code, message) => {
  const { client } = await wanForTest();
  const reply = await client.submit(bodyFor('wan2.6-i2v'), headers as Record<string, string>);
  expect([reply.status, reply.body]).toEqual([status, { code, message, request_id: expect.any(String) }]);
});

test('query, list, cancel and upload policy require a key too', async () => {
  const { client } = await wanForTest();
  for (const [method, path] of [
    ['GET', '/tasks/1'],
    ['GET', '/tasks'],
    ['POST', '/tasks/1/cancel'],
    ['GET', '/uploads?action=getPolicy&model=wan2.6-i2v'],
  ] as const) {
    expect((await client.send(method, path)).body).toMatchObject({
      code: 'InvalidApiKey',
      message: 'No API-key provided.',
    });
    const throttled = await client.send(method, path, { Authorization: 'Bearer sk-throttled-1' });
    expect(throttled.status).toBe(429);
  }
});

test('ignores fields and headers that the reference does not list', async () => {
  const { client } = await wanForTest();
  const body = bodyFor('wan2.2-i2v-plus', {
    input: { extend_prompt: true, function: 'x' },
    parameters: { audio: 'x', size: '1*1' },
  });
  const reply = await client.submit({ ...body, task_group: 'aigc' }, { 'idempotency-key': 'x' });
  expect(reply.status).toBe(200);
});

test('cuts prompts that are too long instead of rejecting them', async () => {
  const { client, clock } = await wanForTest();
  for (const [model, limit] of [
    ['wan2.5-i2v-preview', 1500],
    ['wan2.2-i2v-flash', 800],
  ] as const) {
    const prompt = '猫'.repeat(limit) + 'x'.repeat(50);
    const body = bodyFor(model, {
      input: { prompt, negative_prompt: 'n'.repeat(600) },
      parameters: { resolution: '480P' },
    });
    const taskId = await client.create(body);
    clock.advance(6);
    const { output } = (await client.query(taskId)).body;
    expect(output.orig_prompt).toBe(prompt);
    expect(output.actual_prompt).toContain('猫'.repeat(limit));
    expect(output.actual_prompt).not.toContain('x'.repeat(50));
  }
});
