import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createApiKey, revokeApiKey } from '../../../functions/api/api-keys.ts';
import { authorize, Unauthorized } from '../../../functions/api/authorize.ts';
import { keys } from '../../../functions/video/keys.ts';
import type { Table } from '../../../functions/video/store.ts';
import authorizerRequest from '../../fixtures/events/authorizer-request.json' with { type: 'json' };
import { startTable } from '../../support/table.ts';

let store: Awaited<ReturnType<typeof startTable>>;
let alice: Awaited<ReturnType<typeof createApiKey>>;
beforeAll(async () => {
  store = await startTable();
  alice = await createApiKey(store.table, 'alice');
});
afterAll(() => store.close());
afterEach(() => vi.restoreAllMocks());

const event = (...values: string[]) => ({
  ...authorizerRequest,
  headers: values.length ? { Authorization: values.at(-1) } : {},
  multiValueHeaders: values.length ? { Authorization: values } : {},
});

test('a good key allows every route of this API and stage, and tells who calls', async () => {
  expect(await authorize(store.table, event(`Bearer ${alice.key}`))).toEqual({
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

test('scheme and header are known in any case', async () => {
  for (const headers of [{ authorization: `bearer ${alice.key}` }, { AUTHORIZATION: `BEARER   ${alice.key}` }]) {
    const answer = await authorize(store.table, { ...event(), headers });
    expect(answer.principalId).toBe('alice');
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
  ['the hash that the table holds', () => event(`Bearer ${alice.item.pk.slice('key#'.length)}`)],
  ['two different headers', (key) => event('Bearer ff_other', `Bearer ${key}`)],
  [
    'two headers in two cases',
    (key) => ({ ...event(), headers: { Authorization: `Bearer ${key}`, authorization: 'Bearer x' } }),
  ],
])('%s is Unauthorized', async (_, given) => {
  const refused = authorize(store.table, given(alice.key) as ReturnType<typeof event>);
  await expect(refused).rejects.toThrow(Unauthorized);
  await expect(refused).rejects.toThrow(/^Unauthorized$/);
});

test('a revoked key is Unauthorized, others of its owner are not', async () => {
  const [first, second] = [await createApiKey(store.table, 'bob'), await createApiKey(store.table, 'bob')];
  await revokeApiKey(store.table, first.item.key_id);
  await expect(authorize(store.table, event(`Bearer ${first.key}`))).rejects.toThrow(Unauthorized);
  expect((await authorize(store.table, event(`Bearer ${second.key}`))).principalId).toBe('bob');
});

test('an item without an owner lets nobody in', async () => {
  const client = { send: async () => ({ Item: { pk: keys.apiKey('x'), key_id: 'k' } }) };
  const table = { ...store.table, client } as unknown as Table;
  await expect(authorize(table, event('Bearer ff_x'))).rejects.toThrow(Unauthorized);
});

test('a table that fails is no 401, and lets nobody in', async () => {
  const client = { send: () => Promise.reject(new Error('throttled')) };
  const table = { ...store.table, client } as unknown as Table;
  await expect(authorize(table, event(`Bearer ${alice.key}`))).rejects.toThrow('throttled');
});

test('no key is ever logged or sent in plain text', async () => {
  const written: unknown[] = [];
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...given) => void written.push(...given));
  }
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => Boolean(written.push(String(text))));
  }
  const { client } = store.table;
  const send = (command: Parameters<typeof client.send>[0]) => {
    written.push(JSON.stringify(command.input));
    return client.send(command);
  };
  const table = { ...store.table, client: { send } } as Table;
  await authorize(table, event(`Bearer ${alice.key}`));
  const refused = await authorize(table, event('Bearer ff_unknown')).catch((error: Error) => error);
  vi.restoreAllMocks();
  expect(written.length).toBeGreaterThan(0);
  expect(`${written.join()} ${(refused as Error).stack}`).not.toMatch(new RegExp(`${alice.key}|ff_unknown`));
});
