import { describe, expect, test } from 'vitest';
import { withCors } from '../../../../functions/api/http/cors.ts';
import { answerOtherMethod } from '../../../../functions/api/http/methods.ts';
import { json } from '../../../../functions/api/http/request.ts';
import { aRequest, responseOf } from '../support.ts';

const methods = { '/videos': ['GET', 'HEAD', 'OPTIONS', 'POST'] };
const requestOf = (httpMethod: string, headers: Record<string, string> = {}) => ({
  ...aRequest({ headers }),
  httpMethod,
});

describe('another method of a route', () => {
  test.each(['PUT', 'PATCH', 'DELETE'])('%s is a 405 with the allowed methods', (method) => {
    expect(responseOf(answerOtherMethod(methods, requestOf(method)))).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD, OPTIONS, POST', 'content-type': 'application/problem+json' },
      body: { status: 405, code: 'method_not_allowed', type: 'urn:firstframe:problem:method_not_allowed' },
    });
  });

  test('OPTIONS is a 204 with the allowed methods', () => {
    expect(answerOtherMethod(methods, requestOf('OPTIONS'))).toEqual({
      statusCode: 204,
      headers: { allow: 'GET, HEAD, OPTIONS, POST', 'cache-control': 'no-store' },
      body: '',
    });
  });
});

describe('CORS', () => {
  const origins = ['https://app.example', 'http://localhost:3000'];
  const headersFor = async (allowed: readonly string[], method: string, headers: Record<string, string> = {}) => {
    const respond = withCors(allowed, async (request: ReturnType<typeof requestOf>) =>
      request.httpMethod === 'OPTIONS' ? answerOtherMethod(methods, request) : json(200, {}, { vary: 'Accept' }),
    );
    return (await respond(requestOf(method, headers))).headers as Record<string, string>;
  };

  test.each(origins)('allows %s to read a response', async (origin) => {
    expect(await headersFor(origins, 'GET', { Origin: origin })).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': '*',
      vary: 'Accept, Origin',
    });
  });

  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'https://APP.example',
    'https://app.example:8443',
    'http://app.example',
    'null',
    '*',
    '',
  ])('does not allow "%s"', async (origin) => {
    for (const method of ['GET', 'OPTIONS']) {
      const headers = await headersFor(origins, method, { Origin: origin, 'Access-Control-Request-Method': 'GET' });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers.vary).toContain('Origin');
    }
  });

  test('answers a preflight request with the methods of the route and any header', async () => {
    const preflight = { Origin: origins[0]!, 'Access-Control-Request-Method': 'POST' };
    expect(await headersFor(origins, 'OPTIONS', preflight)).toMatchObject({
      'access-control-allow-origin': origins[0],
      'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST',
      'access-control-allow-headers': 'Authorization, *',
      'access-control-max-age': '7200',
    });
  });

  test('with an asterisk allows every origin, for caches too', async () => {
    expect(await headersFor(['*'], 'GET', { Origin: 'https://any.example' })).toMatchObject({
      'access-control-allow-origin': '*',
      vary: 'Accept',
    });
  });

  test('without origins changes nothing', async () => {
    expect(await headersFor([], 'GET', { Origin: origins[0]! })).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      vary: 'Accept',
    });
  });
});
