import { describe, expect, test } from 'vitest';
import type { AuthorizerDefinition } from '../../../../local/aws/api-gateway/api-definition.ts';
import { allow, authorizer, type Handler, method, serve } from './serve-api.ts';

describe('the authorizer', () => {
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

  test('gets the request, and its context reaches the function as text', async () => {
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

  test('is asked once a minute for an identity, whatever the method', async () => {
    const { send, events, clock } = await guarded(() => allow());
    const asked = () => events.filter(({ type }) => type === 'REQUEST').length;
    await send('/videos', withKey);
    await send('/videos', { ...withKey, method: 'POST' });
    expect(asked()).toBe(1);
    await send('/videos', { headers: { authorization: 'Bearer other' } });
    expect(asked()).toBe(2);
    clock.advance(60_000);
    await send('/videos', withKey);
    expect(asked()).toBe(3);
  });

  test('a cached policy still decides for each method', async () => {
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
      'throws anything else',
      () => {
        throw new Error('unauthorized!');
      },
      500,
      'AUTHORIZER_FAILURE',
    ],
    ['answers no policy', () => ({ principalId: 'a' }), 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    ['answers nothing', () => null, 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    ['answers a context with an object in it', () => allow({ a: {} }), 500, 'AUTHORIZER_CONFIGURATION_ERROR'],
    [
      'answers a broken statement',
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
    const answer = await send('/videos', withKey);
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([status, type]);
    expect(events.filter((event) => event.type !== 'REQUEST')).toEqual([]);
  });

  test('is not asked when the identity is missing', async () => {
    const { send, events } = await guarded(() => allow());
    expect((await send('/videos')).status).toBe(401);
    expect(events).toEqual([]);
  });

  test('without a cache is asked even then', async () => {
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

  test('are each asked for their own methods, and told route, method and query', async () => {
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

  test('share no cache, and one without a cache is asked each time', async () => {
    const { send, events } = await both(() => allow());
    const withKey = { headers: { Authorization: 'Bearer k' } };
    for (let time = 0; time < 2; time += 1) {
      await send('/uploads?upload_token=t', withKey);
      await send('/uploads?upload_token=t', { ...withKey, method: 'POST' });
    }
    const asked = events.filter(({ type }) => type === 'REQUEST').map(({ httpMethod }) => httpMethod);
    expect(asked.sort()).toEqual(['GET', 'POST', 'POST']);
  });
});
