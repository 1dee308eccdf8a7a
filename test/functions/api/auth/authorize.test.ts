import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApiKey, revokeApiKey } from '../../../../functions/api/auth/api-keys.ts';
import {
  type AuthorizerRequest,
  type AuthorizeServices,
  authorize,
  callerOfKey,
  Unauthorized,
} from '../../../../functions/api/auth/authorize.ts';
import { createUploadToken } from '../../../../functions/api/auth/upload-token.ts';
import { keys } from '../../../../functions/video/keys.ts';
import type { Table } from '../../../../functions/video/table.ts';
import authorizerRequest from '../../../fixtures/events/authorizer-request.json' with { type: 'json' };
import { startTable } from '../../../support/table.ts';

let now = Date.parse('2026-11-05T10:00:00Z');
const store = startTable(() => now);
let alice: Awaited<ReturnType<typeof createApiKey>>;
let services: AuthorizeServices;
beforeAll(async () => {
  alice = await createApiKey(store.table, 'alice');
  services = over(store.table);
});
afterEach(() => vi.restoreAllMocks());

const over = (table: Table): AuthorizeServices => ({ table, callerOf: callerOfKey(table) });

const event = (...values: string[]): AuthorizerRequest => ({
  ...authorizerRequest,
  headers: values.length ? { Authorization: values.at(-1) } : {},
  multiValueHeaders: values.length ? { Authorization: values } : {},
});

test('a valid key allows every route of this API and stage and identifies the caller', async () => {
  expect(await authorize(services, event(`Bearer ${alice.key}`))).toEqual({
    principalId: 'alice',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Effect: 'Allow',
          Resource: 'arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/*',
        },
      ],
    },
    context: { owner: 'alice', key_id: alice.item.key_id },
  });
});

test('reads scheme and header in any case', async () => {
  for (const headers of [{ authorization: `bearer ${alice.key}` }, { AUTHORIZATION: `BEARER   ${alice.key}` }]) {
    const response = await authorize(services, { ...event(), headers });
    expect(response.principalId).toBe('alice');
  }
});

test.each<[string, (key: string) => object]>([
  ['no header', () => event()],
  ['no headers', () => ({ ...event(), headers: null, multiValueHeaders: null })],
  ['an unknown key', () => event('Bearer ff_unknown')],
  ['a key with a letter more', (key) => event(`Bearer ${key}x`)],
  ['a key in capitals', (key) => event(`Bearer ${key.toUpperCase()}`)],
  ['a key without a scheme', (key) => event(key)],
  ['another scheme', (key) => event(`Basic ${Buffer.from(`alice:${key}`).toString('base64')}`)],
  ['two keys in one', (key) => event(`Bearer ${key} ${key}`)],
  ['a scheme without a key', () => event('Bearer ')],
  ['a key of a thousand letters', () => event(`Bearer ${'x'.repeat(1000)}`)],
  ['a key of ten thousand letters', () => event(`Bearer ${'x'.repeat(10_000)}`)],
  ['the hash that the table holds', () => event(`Bearer ${alice.item.pk.slice('key#'.length)}`)],
  ['two different headers', (key) => event('Bearer ff_other', `Bearer ${key}`)],
  [
    'two headers in two cases',
    (key) => ({ ...event(), headers: { Authorization: `Bearer ${key}`, authorization: 'Bearer x' } }),
  ],
  [
    'a key in the query',
    (key) => ({ ...event(), multiValueQueryStringParameters: { upload_token: [key], api_key: [key] } }),
  ],
])('refuses %s as Unauthorized', async (_, requestWith) => {
  const refused = authorize(services, requestWith(alice.key) as AuthorizerRequest);
  await expect(refused).rejects.toThrow(Unauthorized);
  await expect(refused).rejects.toThrow(/^Unauthorized$/);
});

test("refuses a revoked key and accepts its owner's other keys", async () => {
  const [first, second] = [await createApiKey(store.table, 'bob'), await createApiKey(store.table, 'bob')];
  await revokeApiKey(store.table, first.item.key_id);
  await expect(authorize(services, event(`Bearer ${first.key}`))).rejects.toThrow(Unauthorized);
  expect((await authorize(services, event(`Bearer ${second.key}`))).principalId).toBe('bob');
});

test('refuses a key whose item has no owner', async () => {
  const client = { send: async () => ({ Item: { pk: keys.apiKey('x'), key_id: 'k' } }) };
  const table = { ...store.table, client } as unknown as Table;
  await expect(authorize(over(table), event('Bearer ff_x'))).rejects.toThrow(Unauthorized);
});

test('throws when the table fails, instead of answering 401 or allowing the request', async () => {
  const client = { send: () => Promise.reject(new Error('throttled')) };
  const table = { ...store.table, client } as unknown as Table;
  await expect(authorize(over(table), event(`Bearer ${alice.key}`))).rejects.toThrow('throttled');
});

test('never logs or sends a key in plain text', async () => {
  const written: unknown[] = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...args) => void written.push(...args));
  }
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => Boolean(written.push(String(text))));
  }
  const { client } = store.table;
  const send = (command: Parameters<typeof client.send>[0]) => {
    written.push(JSON.stringify(command.input));
    return client.send(command);
  };
  const watched = over({ ...store.table, client: { send } } as Table);
  await authorize(watched, event(`Bearer ${alice.key}`));
  const refused = await authorize(watched, event('Bearer ff_unknown')).catch((error: Error) => error);
  vi.restoreAllMocks();
  expect(written.length).toBeGreaterThan(0);
  expect(`${written.join()} ${(refused as Error).stack}`).not.toMatch(new RegExp(`${alice.key}|ff_unknown`));
});

describe('an upload through the DashScope routes', () => {
  const methodArn = 'arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1/POST/api/v1/uploads';
  const upload = (...tokens: string[]): AuthorizerRequest => ({
    ...event(),
    methodArn,
    resource: '/api/v1/uploads',
    httpMethod: 'POST',
    multiValueQueryStringParameters: tokens.length ? { upload_token: tokens } : null,
  });
  const aToken = async () => createUploadToken(store.table, { owner: 'alice', key_id: 'k1' }, { upload_id: 'u-1' });

  test('its token allows that method alone and gives owner and upload id', async () => {
    const { token } = await aToken();
    expect(await authorize(services, upload(token))).toEqual({
      principalId: 'alice',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
      },
      context: { owner: 'alice', key_id: 'k1', upload_id: 'u-1' },
    });
  });

  test('its token expires after 15 minutes', async () => {
    const { token, expires_at } = await aToken();
    const start = now;
    expect(Date.parse(expires_at) - now).toBe(15 * 60_000);
    now += 15 * 60_000 - 1;
    expect((await authorize(services, upload(token))).principalId).toBe('alice');
    now += 1;
    await expect(authorize(services, upload(token))).rejects.toThrow(Unauthorized);
    now = start;
  });

  test.each<[string, (token: string) => AuthorizerRequest]>([
    ['no token', () => upload()],
    ['an unknown token', () => upload(`ffu_${'x'.repeat(43)}`)],
    ['two tokens', (token) => upload(token, `ffu_${'x'.repeat(43)}`)],
    ['an API key as the token', () => upload(alice.key)],
    [
      'an API key in the header',
      () => ({ ...upload(), headers: { authorization: `Bearer ${alice.key}` }, multiValueHeaders: {} }),
    ],
    ['its token on another route', (token) => ({ ...upload(token), resource: '/videos' })],
    ['its token on the route that makes it', (token) => ({ ...upload(token), httpMethod: 'GET' })],
    ['its token in the header', (token) => ({ ...upload(), headers: { authorization: `Bearer ${token}` } })],
    ['its token as an API key', (token) => event(`Bearer ${token}`)],
  ])('refuses %s as Unauthorized', async (_, requestWith) => {
    const { token } = await aToken();
    await expect(authorize(services, requestWith(token))).rejects.toThrow(Unauthorized);
  });
});
