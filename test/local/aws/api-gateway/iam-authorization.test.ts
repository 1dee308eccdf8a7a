import { describe, expect, test } from 'vitest';
import { roleAccessKey } from '../../../../local/aws/endpoint/access-keys.ts';
import { personalCredentials as personal, sign as signAny, type ToSign } from '../../../support/sign.ts';
import { aRole, method, serve } from './serve-api.ts';

const at = new Date('2026-01-31T12:00:00Z');

const sign = (options: Partial<ToSign>) =>
  signAny({
    host: 'api.test',
    path: '/videos',
    date: at,
    headers: { 'content-type': 'application/json', 'X-Spaced': '  a   b ' },
    ...options,
  });

const signedApi = () =>
  serve({
    methods: ['/videos', '/videos/{id}'].flatMap((path) =>
      ['GET', 'POST'].map((http_method) => method(path, { http_method, requires_iam: true })),
    ),
  });

describe('a method with IAM authorization', () => {
  test('receives the identity of the signer in the service’s format', async () => {
    const { send, events } = await signedApi();
    expect((await send('/videos', { headers: await sign({}) })).status).toBe(200);
    expect(events).toHaveLength(1);
    expect(events[0]?.requestContext).toMatchObject({
      identity: {
        accessKey: 'local',
        accountId: '000000000000',
        caller: 'AIDALOCAL',
        user: 'AIDALOCAL',
        userArn: 'arn:aws:iam::000000000000:user/local',
        sourceIp: '127.0.0.1',
      },
    });
    expect(events[0]?.requestContext).not.toHaveProperty('authorizer');
  });

  test('accepts what the SDK signs, with special characters in path, query and body', async () => {
    const { send } = await signedApi();
    const path = "/videos/a%2Fb%20c!'()*";
    const query = { b: ['2', '1', 'ü &=+'], a: '', 'ä/?': '~-_.!*' };
    const pairs = Object.entries(query).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
    const target = `${path}?${pairs.map((pair) => pair.map((part) => encodeURIComponent(part!)).join('=')).join('&')}`;
    const body = '{"prompt":"ü"}';
    const headers = await sign({ method: 'POST', path, query, body });
    expect((await send(target, { method: 'POST', headers, body })).status).toBe(200);
  });

  test.each<[string, () => Promise<Record<string, string>>, string]>([
    ['no signature', async () => ({}), 'MISSING_AUTHENTICATION_TOKEN'],
    ['an API key', async () => ({ authorization: 'Bearer local' }), 'INVALID_SIGNATURE'],
    [
      'an incomplete signature',
      async () => ({ authorization: 'AWS4-HMAC-SHA256 Credential=local' }),
      'INVALID_SIGNATURE',
    ],
    ['a wrong secret', () => sign({ credentials: { ...personal, secretAccessKey: 'other' } }), 'INVALID_SIGNATURE'],
    ['an unknown key', () => sign({ credentials: { ...personal, accessKeyId: 'other' } }), 'INVALID_SIGNATURE'],
    ['a signature for another service', () => sign({ service: 's3' }), 'INVALID_SIGNATURE'],
    ['a signature for another path', () => sign({ path: '/videos/7' }), 'INVALID_SIGNATURE'],
    ['a signature for another method', () => sign({ method: 'POST' }), 'INVALID_SIGNATURE'],
    ['a signature for another body', () => sign({ body: '{}' }), 'INVALID_SIGNATURE'],
    ['a signature for a query', () => sign({ query: { a: '1' } }), 'INVALID_SIGNATURE'],
    ['a signature from yesterday', () => sign({ date: new Date(at.getTime() - 24 * 3_600_000) }), 'INVALID_SIGNATURE'],
    ['a signature that does not cover the host', () => sign({ unsigned: ['host'] }), 'INVALID_SIGNATURE'],
    [
      'a role without permission',
      () => {
        const { access_key_id: accessKeyId, secret_access_key: secretAccessKey } = roleAccessKey(aRole);
        return sign({ credentials: { accessKeyId, secretAccessKey } });
      },
      'ACCESS_DENIED',
    ],
  ])('is rejected with %s', async (_, headers, type) => {
    const { send, events } = await signedApi();
    const response = await send('/videos', { headers: { host: 'api.test', ...(await headers()) } });
    expect([response.status, response.headers['x-amzn-errortype']]).toEqual([403, type]);
    expect(events).toEqual([]);
  });
});
