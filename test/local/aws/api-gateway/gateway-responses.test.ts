// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a variable of a mapping template
import { describe, expect, test } from 'vitest';
import type { ApiDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { ServiceError } from '../../../../local/aws/service-error.ts';
import { method, serve } from './serve-api.ts';

describe('gateway responses', () => {
  const shaped: Partial<ApiDefinition> = {
    gateway_responses: [
      {
        response_type: 'MISSING_AUTHENTICATION_TOKEN',
        status_code: 404,
        templates: {
          'application/json': '{"request_id":"$context.requestId","again":"$context.requestId"}',
        },
        parameters: { 'gatewayresponse.header.X-Kind': "'problem'" },
      },
      {
        response_type: 'DEFAULT_4XX',
        templates: { 'application/json': '{"type":"default"}' },
        parameters: {},
      },
    ],
  };

  test('an unknown route gets the template’s response', async () => {
    const { send } = await serve(shaped);
    const response = await send('/nowhere');
    const id = response.headers['x-amzn-requestid'];
    expect([response.status, response.json()]).toEqual([404, { request_id: id, again: id }]);
    expect(response.headers).toMatchObject({ 'x-kind': 'problem', 'content-type': 'application/json' });
  });

  test('an error without its own response gets the default body and keeps its status', async () => {
    const { send } = await serve({ ...shaped, methods: [method('/videos', { http_method: 'POST' })] });
    const response = await send('/videos', { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect([response.status, response.json()]).toEqual([413, { type: 'default' }]);
  });

  test('a body of 10 MB is accepted, and a rejection by Lambda is a 413', async () => {
    const { send } = await serve(
      { methods: [method('/videos', { http_method: 'POST' })] },
      {
        handler: (event) => {
          if (String(event.body).length > 6e6) throw new ServiceError('RequestTooLargeException', 'too large', 413);
          return { statusCode: 200 };
        },
      },
    );
    expect((await send('/videos', { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024) })).status).toBe(413);
    expect((await send('/videos', { method: 'POST', body: 'small' })).status).toBe(200);
  });

  test('headers over 10,240 bytes are a 431', async () => {
    const { send } = await serve({});
    expect((await send('/videos', { headers: { 'x-long': 'x'.repeat(10_240) } })).status).toBe(431);
  });

  test('a HEAD of an unknown route has no body', async () => {
    const { send } = await serve({});
    const response = await send('/nowhere', { method: 'HEAD' });
    expect([response.status, response.body.length]).toEqual([403, 0]);
  });

  test.each([
    [{ templates: { 'application/json': '$context.nothing' }, parameters: {} }, '$context.nothing'],
    [{ templates: { 'application/json': '${context.requestId}' }, parameters: {} }, '${context.requestId'],
    [{ templates: { 'application/json': '$context.requestIdentity' }, parameters: {} }, '$context.requestIdentity'],
    [{ templates: { 'application/json': '#if(true)$util.escapeJavaScript("x")#end' }, parameters: {} }, '$util'],
    [
      { templates: {}, parameters: { 'gatewayresponse.header.A': 'method.request.header.B' } },
      'method.request.header.B',
    ],
  ])('an unsupported gateway response is rejected at the start by name', async (response, name) => {
    await expect(serve({ gateway_responses: [{ response_type: 'THROTTLED', ...response }] })).rejects.toThrow(name);
  });
});

describe('throttling', () => {
  const settings = [
    { http_method: '*', resource_path: '/*', rate_limit: 2, burst_limit: 3 },
    { http_method: 'GET', resource_path: '/slow', rate_limit: 1, burst_limit: 1 },
  ];

  test('allows a burst and then the rate, separately for each method', async () => {
    const { send, clock } = await serve({ methods: [method('/videos'), method('/slow')], method_settings: settings });
    const statuses = async (path: string, count: number) => {
      const all: number[] = [];
      for (let index = 0; index < count; index += 1) all.push((await send(path)).status);
      return all;
    };
    expect(await statuses('/videos', 4)).toEqual([200, 200, 200, 429]);
    expect(await statuses('/slow', 2)).toEqual([200, 429]);
    clock.advance(500);
    expect(await statuses('/videos', 2)).toEqual([200, 429]);
    clock.advance(10_000);
    expect(await statuses('/videos', 4)).toEqual([200, 200, 200, 429]);
  });
});
