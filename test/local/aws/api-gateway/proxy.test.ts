import { describe, expect, test } from 'vitest';
import type { ApiDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { ServiceError } from '../../../../local/aws/service-error.ts';
import { until } from '../support.ts';
import { method, serve } from './serve-api.ts';

describe('a request', () => {
  test('reaches the function as a proxy event of version 1.0', async () => {
    const { send, events } = await serve({ methods: [method('/videos/{id}', { http_method: 'POST' })] });
    await send('/videos/7?a=1&a=2&b=%C3%BC+x', {
      method: 'POST',
      headers: {
        'X-Two': ['one', 'two'],
        'Content-Type': 'application/json',
        Host: 'localhost:4400',
        'User-Agent': 'test',
      },
      body: '{"prompt":"ü"}',
    });
    expect(events).toEqual([
      {
        resource: '/videos/{id}',
        path: '/videos/7',
        httpMethod: 'POST',
        headers: expect.objectContaining({
          'X-Two': 'two',
          'Content-Type': 'application/json',
          'X-Forwarded-Port': '4400',
        }),
        multiValueHeaders: expect.objectContaining({ 'X-Two': ['one', 'two'], 'X-Forwarded-For': ['127.0.0.1'] }),
        queryStringParameters: { a: '2', b: 'ü x' },
        multiValueQueryStringParameters: { a: ['1', '2'], b: ['ü x'] },
        pathParameters: { id: '7' },
        stageVariables: null,
        requestContext: expect.objectContaining({
          accountId: '000000000000',
          httpMethod: 'POST',
          path: '/videos/7',
          protocol: 'HTTP/1.1',
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          requestTimeEpoch: Date.parse('2026-01-31T12:00:00Z'),
          resourcePath: '/videos/{id}',
          stage: 'v1',
          identity: expect.objectContaining({ sourceIp: '127.0.0.1', userAgent: 'test' }),
        }),
        body: '{"prompt":"ü"}',
        isBase64Encoded: false,
      },
    ]);
  });

  test('without query, path parameters and body has nulls in their fields', async () => {
    const { send, events } = await serve({});
    await send('/videos');
    expect(events[0]).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      pathParameters: null,
      stageVariables: null,
      body: null,
    });
  });

  test('may have any query parameter names', async () => {
    const { send, events } = await serve({});
    await send('/videos?constructor=1&__proto__=2');
    expect(events[0]?.multiValueQueryStringParameters).toMatchObject({ constructor: ['1'] });
  });

  test('with a binary media type is passed on as base64', async () => {
    const { send, events } = await serve({
      methods: [method('/videos', { http_method: 'POST' })],
      binary_media_types: ['image/*'],
    });
    await send('/videos', { method: 'POST', headers: { 'content-type': 'image/png' }, body: Buffer.from([0, 255]) });
    expect(events[0]).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  });
});

describe('a function’s response', () => {
  const respond = async (output: unknown, api: Partial<ApiDefinition> = {}, headers: Record<string, string> = {}) =>
    (await serve(api, { handler: () => output })).send('/videos', { headers });

  test('keeps its status, single-value and multi-value headers, and body', async () => {
    const response = await respond({
      statusCode: '302',
      headers: { Location: '/x', 'X-One': 'a', 'X-Number': 7 },
      multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'], 'x-one': ['b'] },
      body: 'moved',
    });
    expect(response.status).toBe(302);
    expect(response.headers).toMatchObject({
      location: '/x',
      'x-one': 'b',
      'x-number': '7',
      'set-cookie': ['a=1', 'b=2'],
      'content-type': 'application/json',
      'x-amzn-requestid': expect.any(String),
    });
    expect(response.body.toString()).toBe('moved');
  });

  test('in base64 is decoded only if the client accepts a binary media type', async () => {
    const output = { statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'AP8=', isBase64Encoded: true };
    const api = { binary_media_types: ['image/png'] };
    expect((await respond(output, api, { accept: 'image/png' })).body).toEqual(Buffer.from([0, 255]));
    expect((await respond(output, api)).body.toString()).toBe('AP8=');
  });

  test.each([
    ['no object', 'ok'],
    ['null', null],
    ['no status', { body: 'ok' }],
    ['an invalid status', { statusCode: 1234 }],
    ['a body that is not a string', { statusCode: 200, body: { a: 1 } }],
    ['a header that is not a string', { statusCode: 200, headers: { a: { b: 1 } } }],
    ['an unknown field', { statusCode: 200, cookies: [] }],
  ])('that is malformed (%s) is a 502', async (_, output) => {
    const { status, headers } = await respond(output);
    expect([status, headers['x-amzn-errortype']]).toEqual([502, 'DEFAULT_5XX']);
  });

  test('that fails is a 502', async () => {
    const { send } = await serve(
      {},
      {
        handler: () => {
          throw new Error('secret detail');
        },
      },
    );
    const response = await send('/videos');
    expect(response.status).toBe(502);
    expect(response.body.toString()).toBe('{"message":"Internal server error"}');
  });

  test('that Lambda throttles is a failed integration with the template’s response, never a 429', async () => {
    const throttled = () => {
      throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429);
    };
    const plain = await (await serve({}, { handler: throttled })).send('/videos');
    expect([plain.status, plain.headers['x-amzn-errortype']]).toEqual([500, 'INTEGRATION_FAILURE']);
    const shape = {
      response_type: 'INTEGRATION_FAILURE',
      status_code: 502,
      parameters: { 'gatewayresponse.header.Retry-After': "'1'" },
    };
    const shaped = await (await serve({ gateway_responses: [shape] }, { handler: throttled })).send('/videos');
    expect([shaped.status, shaped.headers['retry-after']]).toEqual([502, '1']);
  });

  test('that takes over 29 s is a 504', async () => {
    const { send, events, clock } = await serve({}, { handler: () => new Promise(() => {}) });
    const pending = send('/videos');
    await until(() => events.length === 1);
    clock.advance(29_000);
    const response = await pending;
    expect([response.status, response.headers['x-amzn-errortype']]).toEqual([504, 'INTEGRATION_TIMEOUT']);
  });
});
