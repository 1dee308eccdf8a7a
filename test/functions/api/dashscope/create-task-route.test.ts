import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createTaskResponseBody, errorBody } from '../../../../functions/api/dashscope/schemas.ts';
import { readVideo } from '../../../../functions/video/store.ts';
import { fileOf } from '../../../support/videos.ts';
import { png } from '../../media/support.ts';
import { aDashscope } from './support.ts';
import { asynchronous, body, submit, taskRequests } from './task-requests.ts';

const { table, dashscope, post, create } = taskRequests();

describe('create', () => {
  test('returns PENDING with the id of a dispatched video', async () => {
    const { status, headers, body: response } = await post(body());
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json');
    expect(createTaskResponseBody.parse(response)).toEqual({
      output: { task_status: 'PENDING', task_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      request_id: 'request-1',
    });
    expect(dashscope().dispatched).toEqual([response.output.task_id]);
    expect(await readVideo(table(), response.output.task_id)).toMatchObject({
      owner: 'alice',
      source: { type: 'api', key_id: 'key of alice' },
      input: { media: [{ type: 'first_frame', url: body().input.img_url }] },
    });
  });

  test('ignores a trailing slash', async () => {
    expect((await post(body(), { path: `${submit}/` })).status).toBe(200);
  });

  test('refuses a request without the async header with the documented message', async () => {
    const response = await dashscope().call({ method: 'POST', path: submit, body: body() });
    expect(response).toMatchObject({ status: 403 });
    expect(errorBody.parse(response.body)).toEqual({
      code: 'AccessDenied',
      message:
        'current user api does not support synchronous calls. Send the header X-DashScope-Async: enable, then query the task.',
      request_id: 'request-1',
    });
    expect(dashscope().dispatched).toEqual([]);
  });

  test("accepts what published clients send: unknown fields and headers, null, '', bare base64", async () => {
    const image = Buffer.from(png(400, 400)).toString('base64');
    const id = await create(
      {
        ...body({ model: 'wan2.5-i2v-preview', parameters: { duration: 5, with_audio: false, seed: null } }),
        input: { prompt: 'A cat', extend_prompt: true, function: 'video-synthesis', audio_url: '', img_url: image },
      } as never,
      { headers: { 'X-DashScope-OssResourceResolve': 'enable', 'x-dashscope-sdk-client': 'python-sdk/2.0.2/aigc' } },
    );
    const video = await readVideo(table(), id);
    expect(fileOf(video!)).toMatchObject({ content_type: 'image/png', width: 400 });
    expect(video?.input.prompt).toBe('A cat');
    expect(video?.input).not.toHaveProperty('audio_url');
  });

  test('returns the same task for a repeated idempotency-key, and an error for another body', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const id = await create(body(), { headers });
    expect(await create(body(), { headers })).toBe(id);
    expect(await create(body(), { headers, owner: 'bob' })).not.toBe(id);
    expect(await post(body({ input: { prompt: 'A dog' } }), { headers })).toMatchObject({
      status: 400,
      body: { code: 'InvalidParameter', message: expect.stringContaining('Repeat the first request') },
    });
  });

  test.each([
    ['with a blank', 'two words'],
    ['that is empty', ''],
    ['of 256 characters', 'k'.repeat(256)],
    ['with a letter beyond ASCII', 'clé'],
    ['with a control character', 'a\u0001'],
  ])('refuses an Idempotency-Key %s like POST /videos, and creates nothing', async (_, key) => {
    expect(await post(body(), { headers: { 'Idempotency-Key': key } })).toMatchObject({
      status: 400,
      body: {
        code: 'InvalidParameter',
        message: expect.stringMatching(/^The Idempotency-Key is invalid\. Send the header once, with 1 to 255 /),
      },
    });
    expect(dashscope().dispatched).toEqual([]);
  });

  test.each([
    ['no JSON', '{"model":', 400, 'InvalidParameter', /^Required body invalid, please check the request body format\./],
    ['nothing', '', 400, 'InvalidParameter', /^Required body invalid/],
    ['a list', '[]', 400, 'InvalidParameter', /^Required body invalid/],
    ['deep JSON', `${'['.repeat(40)}${']'.repeat(40)}`, 400, 'InvalidParameter', /^Required body invalid/],
    ['no model', { input: body().input }, 400, 'BadRequest.EmptyModel', /^Required parameter "model" missing/],
    ['an unknown model', body({ model: 'wan9' }), 404, 'ModelNotFound', /^Model can not be found\./],
    ['no input', { model: 'wan2.2-i2v-plus' }, 400, 'BadRequest.EmptyInput', /^Required parameter "input" missing/],
    [
      'an input that is not an object',
      { model: 'wan2.2-i2v-plus', input: 'x' },
      400,
      'BadRequest.IllegalInput',
      /json/,
    ],
    ['no image', { model: 'wan2.2-i2v-plus', input: {} }, 400, 'InvalidParameter', /^Field required: input\.img_url/],
    ['no URL', body({ input: { img_url: 'cat.png' } }), 400, 'InvalidParameter', /^url error, please check url！ /],
    [
      'a private address',
      body({ input: { img_url: 'http://10.0.0.1/cat.png' } }),
      ...([400, 'InvalidParameter', /^url error, please check url！ /] as const),
    ],
    [
      'an image that is too small',
      body({ input: { img_url: `data:image/png;base64,${Buffer.from(png(10, 10)).toString('base64')}` } }),
      ...([400, 'InvalidURL', /input\.img_url: .*10 × 10/] as const),
    ],
    [
      'an image over the inline limit',
      body({ input: { img_url: `data:image/png;base64,${'A'.repeat(6_000_000)}` } }),
      ...([400, 'BadRequest.TooLarge', /^Payload Too Large\. /] as const),
    ],
    [
      "a file of Wan's own storage",
      body({ input: { img_url: 'oss://dashscope-instant/a/b/cat.png' } }),
      ...([
        400,
        'InvalidParameter',
        /^url error, please check url！ input\.img_url: An oss:\/\/ URL must come from an upload/,
      ] as const),
    ],
    [
      'an upload with a path that leaves its folder',
      body({ input: { img_url: `oss://firstframe/${randomUUID()}/..` } }),
      ...([400, 'InvalidParameter', /^url error/] as const),
    ],
    [
      'an upload that does not exist',
      body({ input: { img_url: `oss://firstframe/${randomUUID()}/cat.png` } }),
      ...([400, 'InvalidParameter.DataInspection', /^Unable to download the media resource/] as const),
    ],
    [
      'a resolution that the model does not have',
      body({ parameters: { resolution: '720P' } }),
      ...([400, 'InvalidParameter', /^parameters\.resolution: .* Use 480P or 1080P\./] as const),
    ],
    [
      'several issues, all named',
      body({ input: { img_url: 'x' }, parameters: { duration: 'long', resolution: '720P' } }),
      ...([
        400,
        'InvalidParameter',
        /(?=.*input\.img_url)(?=.*parameters\.duration)(?=.*parameters\.resolution)/,
      ] as const),
    ],
  ])('refuses %s like the reference', async (_, sent, status, code, message) => {
    const response = await post(sent);
    expect(response).toMatchObject({ status, body: { code, message: expect.stringMatching(message) } });
    errorBody.parse(response.body);
    expect([dashscope().dispatched, dashscope().unexpectedErrors]).toEqual([[], []]);
  });

  test('refuses a request over the spending limit with a code that no client retries', async () => {
    const limited = aDashscope(table(), { monthlySpendingLimit: 0.001 });
    expect(
      await limited.call({ method: 'POST', path: submit, headers: asynchronous, body: body(), owner: 'limited' }),
    ).toMatchObject({
      status: 400,
      body: { code: 'Arrearage', message: expect.stringMatching(/^Access denied, please make sure your account/) },
    });
  });

  test('answers an unexpected error without internal details', async () => {
    const broken = aDashscope(table(), { acceptRequest: () => Promise.reject(new Error('internal secret')) });
    const response = await broken.call({ method: 'POST', path: submit, headers: asynchronous, body: body() });
    expect(response).toMatchObject({ status: 500, body: { code: 'InternalError', request_id: 'request-1' } });
    expect(JSON.stringify(response)).not.toContain('secret');
    expect(broken.unexpectedErrors).toEqual([new Error('internal secret')]);
  });
});
