import { describe, expect, test } from 'vitest';
import type { AuthorizerDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { allow, authorizer, type Handler, method, serve } from './serve-api.ts';

describe('a Lambda authorizer', () => {
  const guarded = (authorize: Handler, overrides: Partial<AuthorizerDefinition> = {}) =>
    serve(
      {
        methods: ['GET', 'POST'].map((http_method) =>
          method('/videos', { http_method, authorizer: { ...authorizer, ...overrides } }),
        ),
      },
      { authorize },
    );
  const withKey = { headers: { Authorization: 'Bearer k' } };

  test('receives the request, and its context reaches the function as strings', async () => {
    const { send, events } = await guarded(() => allow());
    expect((await send('/videos?a=1', withKey)).status).toBe(200);
    expect(events[0]).toMatchObject({
      type: 'REQUEST',
      methodArn: 'arn:aws:execute-api:us-east-1:000000000000:api/v1/GET/videos',
      headers: { Authorization: 'Bearer k' },
      queryStringParameters: { a: '1' },
    });
    expect(events[1]?.requestContext).toMatchObject({
      authorizer: { owner: 'ann', admin: 'true', principalId: 'ann' },
    });
  });

  test('is invoked once a minute per identity, for all methods', async () => {
    const { send, events, clock } = await guarded(() => allow());
    const authorizerCalls = () => events.filter(({ type }) => type === 'REQUEST').length;
    await send('/videos', withKey);
    await send('/videos', { ...withKey, method: 'POST' });
    expect(authorizerCalls()).toBe(1);
    await send('/videos', { headers: { authorization: 'Bearer other' } });
    expect(authorizerCalls()).toBe(2);
    clock.advance(60_000);
    await send('/videos', withKey);
    expect(authorizerCalls()).toBe(3);
  });

  test('evaluates a cached policy for each method', async () => {
    const { send } = await guarded(() => allow({}, 'arn:aws:execute-api:us-east-1:000000000000:api/v1/GET/*'));
    expect((await send('/videos', withKey)).status).toBe(200);
    expect((await send('/videos', { ...withKey, method: 'POST' })).status).toBe(403);
  });

  test.each<[string, Handler, number, string]>([
    [
      'throws Unauthorized',
      () => {
        throw new Error('Unauthorized');
      },
      401,
      'UNAUTHORIZED',
    ],
    [
      'throws another error',
      () => {
        throw new Error('unauthorized!');
      },
      500,
      'AUTHORIZER_FAILURE',
    ],
    ['returns no policy', () => ({ principalId: 'a' }), 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    ['returns nothing', () => null, 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    ['returns a context that contains an object', () => allow({ a: {} }), 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    [
      'returns an invalid statement',
      () => ({ principalId: 'a', policyDocument: { Statement: [{ Effect: 'Maybe' }] } }),
      500,
      'AUTHORIZER_CONFIGURATION_ERROR',
    ],
    [
      'allows something else',
      () => allow({}, 'arn:aws:execute-api:us-east-1:000000000000:api/v1/GET/other'),
      403,
      'ACCESS_DENIED',
    ],
    [
      'allows and denies',
      () => ({
        principalId: 'a',
        policyDocument: { Statement: ['Allow', 'Deny'].map((Effect) => ({ Effect, Action: '*', Resource: '*' })) },
      }),
      403,
      'ACCESS_DENIED',
    ],
  ])('that %s', async (_, authorize, status, type) => {
    const { send, events } = await guarded(authorize);
    const response = await send('/videos', withKey);
    expect([response.status, response.headers['x-amzn-errortype']]).toEqual([status, type]);
    expect(events.filter((event) => event.type !== 'REQUEST')).toEqual([]);
  });

  test('is not invoked when an identity source is missing', async () => {
    const { send, events } = await guarded(() => allow());
    expect((await send('/videos')).status).toBe(401);
    expect(events).toEqual([]);
  });

  test('is invoked without an identity source when it has no cache', async () => {
    const { send } = await guarded(() => allow(), { result_ttl_seconds: 0 });
    expect((await send('/videos')).status).toBe(200);
  });
});

describe('two authorizers', () => {
  const byQuery: AuthorizerDefinition = {
    id: 'ByQuery',
    function_arn: 'authorize',
    identity_sources: ['method.request.querystring.upload_token'],
    result_ttl_seconds: 0,
  };
  const both = (authorize: Handler) =>
    serve(
      {
        methods: [method('/uploads', { authorizer }), method('/uploads', { http_method: 'POST', authorizer: byQuery })],
      },
      { authorize },
    );

  test('are invoked for their own methods with route, method and query', async () => {
    const { send, events } = await both(() => allow());
    expect((await send('/uploads?upload_token=t&upload_token=u', { method: 'POST' })).status).toBe(200);
    expect(events[0]).toMatchObject({
      type: 'REQUEST',
      resource: '/uploads',
      httpMethod: 'POST',
      multiValueQueryStringParameters: { upload_token: ['t', 'u'] },
    });
    expect((await send('/uploads?upload_token=t')).status).toBe(401);
  });

  test('do not share a cache, and one without a cache is invoked each time', async () => {
    const { send, events } = await both(() => allow());
    const withKey = { headers: { Authorization: 'Bearer k' } };
    for (let time = 0; time < 2; time += 1) {
      await send('/uploads?upload_token=t', withKey);
      await send('/uploads?upload_token=t', { ...withKey, method: 'POST' });
    }
    const authorizerCalls = events.filter(({ type }) => type === 'REQUEST').map(({ httpMethod }) => httpMethod);
    expect(authorizerCalls.sort()).toEqual(['GET', 'POST', 'POST']);
  });
});
