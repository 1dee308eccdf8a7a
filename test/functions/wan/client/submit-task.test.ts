import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWanClient } from '../../../../functions/wan/client/client.ts';
import type { TaskRequest } from '../../../../functions/wan/client/submit-task.ts';
import { firstFrame } from '../../../support/videos.ts';
import { json, oversize, raw, reset, silence, startWanServer, truncated, type WanServer } from './wan-server.ts';

let wan: WanServer;
beforeAll(async () => {
  wan = await startWanServer();
});
afterAll(() => wan.close());
beforeEach(() => {
  wan.requests.length = 0;
  wan.script.length = 0;
});

const key = 'sk-0123456789abcdef';
const timeouts = { submit: 3000, query: 3000, upload: 3000 };
const client = (options: Partial<Parameters<typeof createWanClient>[0]> = {}) =>
  createWanClient({ baseUrl: wan.baseUrl, apiKey: async () => key, fetch, timeouts, keepAlive: false, ...options });

const request: TaskRequest = {
  model: 'wan2.6-i2v',
  input: { prompt: 'A cat on the moon', media: firstFrame('https://a.example/cat.png?Signature=signed') },
  parameters: { resolution: '720P', duration: 10, prompt_extend: true, watermark: false, shot_type: 'multi', seed: 7 },
};
const created = { output: { task_status: 'PENDING', task_id: '0385dc79-5ff8' }, request_id: 'r-1' };
const error = (code: string, message = 'words') => ({ code, message, request_id: 'r-2' });

describe('createTask', () => {
  test('sends exactly the request of the reference', async () => {
    wan.script.push(json(200, created));
    expect(await client().createTask(request)).toEqual({
      ...{ outcome: 'created', task_id: '0385dc79-5ff8', task_status: 'PENDING', request_id: 'r-1' },
    });
    const [sent] = wan.requests;
    expect(sent).toMatchObject({ method: 'POST', url: '/api/v1/services/aigc/video-generation/video-synthesis' });
    expect(sent?.headers).toMatchObject({
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-dashscope-async': 'enable',
      connection: 'close',
    });
    expect(sent?.headers).not.toHaveProperty('x-dashscope-ossresourceresolve');
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      model: 'wan2.6-i2v',
      input: { prompt: 'A cat on the moon', img_url: 'https://a.example/cat.png?Signature=signed' },
      parameters: {
        resolution: '720P',
        prompt_extend: true,
        duration: 10,
        shot_type: 'multi',
        watermark: false,
        seed: 7,
      },
    });
  });

  test('uses a connection of its own without keepAlive, so that it cannot be one that Wan is closing', async () => {
    const portsOf = async (keepAlive: boolean) => {
      const server = await startWanServer();
      const ports: (number | undefined)[] = [];
      const respond =
        (body: unknown) =>
        (...[response, incoming]: Parameters<ReturnType<typeof json>>) => {
          ports.push(incoming.socket.remotePort);
          json(200, body)(response, incoming);
        };
      server.script.push(respond({ output: { task_id: 'a', task_status: 'RUNNING' } }), respond(created));
      const { queryTask, createTask } = client({ baseUrl: server.baseUrl, keepAlive });
      await queryTask('a');
      // A connection returns to the pool after its response was read.
      await setImmediate();
      expect(await createTask(request)).toMatchObject({ outcome: 'created' });
      await server.close();
      return new Set(ports).size;
    };
    expect([await portsOf(true), await portsOf(false)]).toEqual([1, 2]);
  });

  test('adds the resolve header for an oss:// image', async () => {
    wan.script.push(json(200, created));
    await client().createTask({ ...request, input: { media: firstFrame('oss://dashscope-instant/a.png') } });
    expect(wan.requests[0]?.headers).toMatchObject({ 'x-dashscope-ossresourceresolve': 'enable' });
  });

  test('omits a fixed duration, and lists the media in the later wire format', async () => {
    wan.script.push(json(200, created));
    await client().createTask({
      ...request,
      model: 'wan2.2-i2v-plus',
      parameters: { ...request.parameters, duration: 5 },
    });
    expect(JSON.parse(wan.requests[0]?.body ?? '').parameters).not.toHaveProperty('duration');
    const media = [
      { type: 'first_frame', url: 'https://a.example/1.png' },
      { type: 'driving_audio', url: 'https://a.example/1.mp3' },
    ] as const;
    const input = { media: [...media] };
    await client().createTask({ ...request, model: 'wan2.7-i2v', input });
    expect(JSON.parse(wan.requests[1]?.body ?? '').input).toEqual({ media });
    await client().createTask({ ...request, model: 'wan2.6-i2v', input });
    expect(JSON.parse(wan.requests[2]?.body ?? '').input).toEqual({ img_url: media[0].url, audio_url: media[1].url });
  });

  test.each([
    [401, 'InvalidApiKey', 'Invalid API-key provided.', { outcome: 'account_refused', reason: 'invalid_key' }],
    [400, 'Arrearage', 'Access denied, please make sure…', { outcome: 'account_refused', reason: 'arrears' }],
    [403, 'AccessDenied', 'current user api does not…', { outcome: 'account_refused', reason: 'access_denied' }],
    [403, 'AccessDenied.Unpurchased', '', { outcome: 'account_refused', reason: 'access_denied' }],
    [403, 'Model.AccessDenied', '', { outcome: 'account_refused', reason: 'access_denied' }],
    [403, 'Workspace.AccessDenied', '', { outcome: 'account_refused', reason: 'access_denied' }],
    [403, 'AllocationQuota.FreeTierOnly', '', { outcome: 'account_refused', reason: 'quota' }],
    [
      429,
      'Throttling.AllocationQuota',
      'Free allocated quota exceeded.',
      { outcome: 'account_refused', reason: 'quota' },
    ],
    [429, 'Throttling.AllocationQuota', 'Allocated quota exceeded, please…', { outcome: 'throttled' }],
    [429, 'Throttling', '', { outcome: 'throttled' }],
    [429, 'Throttling.RateQuota', 'Requests rate limit exceeded…', { outcome: 'throttled' }],
    [429, 'Throttling.BurstRate', '', { outcome: 'throttled' }],
    [429, 'SomethingNew', '', { outcome: 'throttled' }],
    [404, 'ModelNotFound', 'Model can not be found.', { outcome: 'refused', reason: 'model' }],
    [400, 'InvalidParameter', 'Model not exist.', { outcome: 'refused', reason: 'model' }],
    [400, 'InvalidParameter', 'url error, please check url！', { outcome: 'refused', reason: 'input' }],
    [400, 'InvalidParameter', 'Field required: input', { outcome: 'refused', reason: 'input' }],
    [400, 'BadRequest.TooLarge', '', { outcome: 'refused', reason: 'input' }],
    [400, 'InvalidURL', '', { outcome: 'refused', reason: 'input' }],
    [400, 'InvalidURL.Timeout', '', { outcome: 'refused', reason: 'image_download' }],
    [400, 'InvalidURL.ConnectionRefused', '', { outcome: 'refused', reason: 'image_download' }],
    [400, 'InvalidParameter.DataInspection', 'Unable to download…', { outcome: 'refused', reason: 'image_download' }],
    [400, 'DataInspectionFailed', '', { outcome: 'refused', reason: 'moderation' }],
    [400, 'IPInfringementSuspect', '', { outcome: 'refused', reason: 'moderation' }],
    [400, 'SomethingNew', '', { outcome: 'refused', reason: 'other' }],
    [500, 'InternalError', '', { outcome: 'unavailable', cause: 'InternalError' }],
    [500, 'InternalError.Algo', '', { outcome: 'unavailable' }],
    [500, 'SystemError', '', { outcome: 'unavailable' }],
    [500, 'ModelServiceFailed', '', { outcome: 'unavailable' }],
    [500, 'RequestTimeOut', '', { outcome: 'unavailable' }],
    [503, 'ModelServingError', '', { outcome: 'unavailable' }],
    [503, 'ModelUnavailable', '', { outcome: 'unavailable' }],
    [500, 'SomethingNew', '', { outcome: 'unavailable' }],
  ] as const)('maps %i %s "%s" to its outcome, unbilled', async (status, code, message, expected) => {
    wan.script.push(json(status, error(code, message)));
    const retryable = expected.outcome !== 'refused';
    expect(await client().createTask(request)).toMatchObject({
      ...expected,
      code,
      message,
      request_id: 'r-2',
      retryable,
      billed: false,
    });
    expect(wan.requests).toHaveLength(1);
  });

  test.each([
    ['a reset', reset, /^(UND_ERR_|ECONNRESET)/],
    ['a timeout', silence, /^timeout$/],
    ['a truncated response', truncated, /^(UND_ERR_|ECONNRESET)/],
    ['a response that is too large', oversize, /^response_too_large$/],
    ['no JSON', raw(200, '<html>'), /^response_malformed$/],
    ['an empty response', raw(200, ''), /^response_malformed$/],
    ['JSON without a task', json(200, { request_id: 'r' }), /^response_malformed$/],
    [
      'a task without a usable id',
      json(200, { output: { task_id: '../x', task_status: 'PENDING' } }),
      /^response_malformed$/,
    ],
    ['a success that holds an error', json(200, error('InvalidParameter')), /^response_malformed$/],
    ["a gateway's 502", raw(502, '<html>Bad gateway</html>'), /^http_502$/],
    ["a gateway's 504", raw(504, ''), /^http_504$/],
    ["a gateway's 500 in JSON of its own", json(500, { message: 'oops' }), /^http_500$/],
    ["a gateway's 408", raw(408, ''), /^http_408$/],
  ] as const)('returns unknown for %s after sending, and sends once', async (_, response, cause) => {
    wan.script.push(response);
    const outcome = await client().createTask(request);
    expect(outcome).toEqual({ outcome: 'unknown', cause: expect.stringMatching(cause), retryable: false });
    expect(wan.requests).toHaveLength(1);
  });

  test.each([
    [302, 'account_refused', 'endpoint'],
    [404, 'account_refused', 'endpoint'],
    [405, 'account_refused', 'endpoint'],
    [401, 'account_refused', 'invalid_key'],
    [403, 'account_refused', 'access_denied'],
    [413, 'refused', 'input'],
    [400, 'refused', 'other'],
  ])('maps a bare %i of a gateway to %s, %s', async (status, outcome, reason) => {
    wan.script.push(raw(status, '', { location: `${wan.origin}/elsewhere` }));
    expect(await client().createTask(request)).toMatchObject({
      outcome,
      reason,
      code: `http_${status}`,
      billed: false,
    });
    expect(wan.requests).toHaveLength(1);
  });

  test('a refused connection proves that nothing was sent', async () => {
    const closed = await startWanServer();
    await closed.close();
    expect(await client({ baseUrl: closed.baseUrl }).createTask(request)).toEqual({
      ...{ outcome: 'unavailable', cause: 'ECONNREFUSED', retryable: true, billed: false },
    });
  });

  test('a host that is not found proves that nothing was sent', async () => {
    const outcome = await client({ baseUrl: 'http://wan.invalid/api/v1' }).createTask(request);
    expect(outcome).toMatchObject({ outcome: 'unavailable', cause: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
  });

  test('a TLS handshake that fails proves that nothing was sent', async () => {
    const plain = wan.baseUrl.replace('http:', 'https:');
    expect(await client({ baseUrl: plain }).createTask(request)).toMatchObject({ outcome: 'unavailable' });
    const hangUp = createServer((socket) => socket.once('data', () => socket.end()));
    await new Promise<void>((resolve) => hangUp.listen(0, '127.0.0.1', resolve));
    const { port } = hangUp.address() as AddressInfo;
    expect(await client({ baseUrl: `https://127.0.0.1:${port}` }).createTask(request)).toMatchObject({
      outcome: 'unavailable',
    });
    hangUp.close();
    expect(wan.requests).toHaveLength(0);
  });

  test.each([
    ['no_key', async () => ''],
    ['no_key', async () => '  \n'],
    ['no_key', () => Promise.reject(new Error('AccessDenied arn:secret'))],
    ['key_has_several_lines', async () => 'sk-a\nx: y'],
    ['key_has_other_letters', async () => 'sk-ключ'],
  ])('pauses the model queue for an unusable key as %s and sends nothing', async (reason, apiKey) => {
    const outcome = await client({ apiKey }).createTask(request);
    expect(outcome).toMatchObject({ outcome: 'account_refused', reason, retryable: true });
    expect(JSON.stringify(outcome)).not.toContain('arn:secret');
    expect(wan.requests).toHaveLength(0);
  });

  test('reads the key for each call and trims it', async () => {
    wan.script.push(json(200, created));
    const keys = ['sk-one\n', 'sk-two'];
    const rotating = client({ apiKey: async () => keys.shift() ?? '' });
    await rotating.createTask(request);
    await rotating.createTask(request);
    expect(wan.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer sk-one', 'Bearer sk-two']);
  });

  test.each([
    ['a rejected key', json(401, { code: 'InvalidApiKey' })],
    ['an account in arrears', json(400, { code: 'Arrearage' })],
    ['an account without the model', json(403, { code: 'AccessDenied' })],
  ])('reads the key again after %s, and not after a success', async (_refusal, refused) => {
    wan.script.push(refused, json(200, created));
    let rejections = 0;
    const observed = client({ keyRejected: () => rejections++ });
    await observed.createTask(request);
    expect(rejections).toBe(1);
    await observed.createTask(request);
    expect(rejections).toBe(1);
  });

  test('reads the key again when it cannot be used', async () => {
    let rejections = 0;
    await client({ apiKey: async () => 'sk-a\nx: y', keyRejected: () => rejections++ }).createTask(request);
    expect(rejections).toBe(1);
  });

  test('an abort before sending is unavailable, and after sending unknown', async () => {
    expect(await client().createTask(request, AbortSignal.abort())).toMatchObject({
      outcome: 'unavailable',
      cause: 'aborted',
    });
    expect(wan.requests).toHaveLength(0);
    const controller = new AbortController();
    wan.script.push(() => controller.abort());
    expect(await client().createTask(request, controller.signal)).toMatchObject({
      outcome: 'unknown',
      cause: 'aborted',
    });
  });

  test('no outcome contains the key, the prompt or a signed URL', async () => {
    const leak = `bad: A cat on the moon, https://a.example/cat.png?Signature=signed oss://x/signed ${key} data:image/png;base64,signed`;
    for (const [status, code] of [
      [400, 'InvalidParameter'],
      [429, 'Throttling'],
      [401, 'InvalidApiKey'],
      [500, 'InternalError'],
    ] as const) {
      wan.script[0] = json(status, error(code, leak));
      const text = JSON.stringify(await client().createTask(request));
      expect(text).toContain('bad:');
      for (const secret of ['moon', 'signed', key]) expect(text).not.toContain(secret);
    }
  });
});
