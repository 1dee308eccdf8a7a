import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  deleteSubscription,
  newSecretVersion,
  putSubscription,
  readSubscription,
} from '../../../functions/events/subscriptions.ts';
import { signatureHeaders, validVersions, webhookSecret } from '../../../functions/events/webhook-secret.ts';
import { startTable } from '../../support/table.ts';

const start = Date.now();
const HOUR = 3600_000;
const master = 'the value of the secret of the stack';
let now = start;
let table: ReturnType<typeof startTable>['table'];
beforeEach(() => {
  now = start;
  ({ table } = startTable(() => now));
});

const sign = async (owner = 'alice', id = 'msg_1', body = '{"type":"video.succeeded"}') => ({
  body,
  headers: signatureHeaders({ master, owner, item: await readSubscription(table, owner), id, body, now }),
});
const verifies = (secret: string, { body, headers }: { body: string; headers: Record<string, string> }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};
const secretOf = (version: number, owner = 'alice') => webhookSecret(master, owner, version);

test('has the form of Standard Webhooks: whsec_ and the Base64 of 32 bytes', () => {
  expect(secretOf(1)).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
});

test('differs for each owner, version and deployment, and cannot be made without the secret of the stack', () => {
  const secrets = [secretOf(1), secretOf(2), secretOf(1, 'bob'), webhookSecret('another', 'alice', 1)];
  expect(new Set(secrets).size).toBe(4);
  expect(secretOf(1)).toBe(secretOf(1));
  expect(() => webhookSecret('', 'alice', 1)).toThrow('empty');
});

describe('the version of an owner', () => {
  test('is 1 without an item, and the first that is shown', async () => {
    expect(verifies(secretOf(1), await sign())).toBe(true);
    expect(await newSecretVersion(table, 'alice')).toBe(1);
    const signed = await sign();
    expect(verifies(secretOf(1), signed)).toBe(true);
    expect(signed.headers['webhook-signature'].split(' ')).toHaveLength(1);
  });

  test('and the previous one are both valid for 24 hours after a rotation, then only the new one', async () => {
    await newSecretVersion(table, 'alice');
    expect(await newSecretVersion(table, 'alice')).toBe(2);
    const valid = async () => {
      const signed = { body: '{}', headers: { ...(await sign('alice', 'msg_1', '{}')).headers } };
      const item = await readSubscription(table, 'alice');
      return { versions: validVersions(item, now), signatures: signed.headers['webhook-signature'].split(' ').length };
    };
    const signed = await sign();
    expect([1, 2, 3].map((version) => verifies(secretOf(version), signed))).toEqual([true, true, false]);
    now = start + 24 * HOUR - 1;
    expect(await valid()).toEqual({ versions: [2, 1], signatures: 2 });
    now = start + 24 * HOUR;
    expect(await valid()).toEqual({ versions: [2], signatures: 1 });
    expect(await newSecretVersion(table, 'alice')).toBe(3);
    expect(await valid()).toEqual({ versions: [3, 2], signatures: 2 });
  });

  test('is another one for each of concurrent rotations', async () => {
    const versions = await Promise.all(Array.from({ length: 10 }, () => newSecretVersion(table, 'alice')));
    expect(versions.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('survives the end of the subscription, and its replacement', async () => {
    await newSecretVersion(table, 'alice');
    await newSecretVersion(table, 'alice');
    await putSubscription(table, 'alice', { url: 'https://one.example/', events: 'all' });
    expect(await deleteSubscription(table, 'alice')).toBe(true);
    expect(await deleteSubscription(table, 'alice')).toBe(false);
    expect(await readSubscription(table, 'alice')).toEqual({
      events: 'endings',
      secret_version: 2,
      rotated_at: new Date(start).toISOString(),
    });
    expect(await deleteSubscription(table, 'bob')).toBe(false);
    expect(await readSubscription(table, 'bob')).toBeUndefined();
  });
});

test.each<[string, (signed: Awaited<ReturnType<typeof sign>>) => unknown]>([
  ['another body', (signed) => (signed.body = signed.body.replace('succeeded', 'failed'))],
  ['another id', (signed) => (signed.headers['webhook-id'] = 'msg_2')],
  ['another time', (signed) => (signed.headers['webhook-timestamp'] = String(Math.floor(start / 1000) + 1))],
  ['the signature of another owner', async () => undefined],
])('a signature does not hold for %s', async (what, change) => {
  const signed = await sign(what.includes('owner') ? 'bob' : 'alice');
  await change(signed);
  expect(verifies(secretOf(1), signed)).toBe(false);
});

test('the table holds no secret, only the number of its version', async () => {
  await putSubscription(table, 'alice', { url: 'https://one.example/', events: 'all' });
  await newSecretVersion(table, 'alice');
  await newSecretVersion(table, 'alice');
  const { Items } = await table.client.send(new ScanCommand({ TableName: table.tableName }));
  const text = JSON.stringify(Items);
  expect(Items).toHaveLength(1);
  expect(text).toContain('"secret_version":2');
  for (const version of [1, 2]) expect(text).not.toContain(secretOf(version).slice('whsec_'.length, 20));
  expect(text).not.toContain(master);
});
