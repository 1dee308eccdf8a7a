import { createHash } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { countUpload, createUploadToken, readUploadToken } from '../../../../functions/api/auth/upload-token.ts';
import { timeToLive } from '../../../../functions/shared/table-schema.ts';
import { startTable } from '../../../support/table.ts';

let now = Date.parse('2026-11-05T10:00:00.500Z');
const store = startTable(() => now);

const caller = { owner: 'alice', key_id: 'k1' };
const upload = { upload_id: 'u-1' };

test('stores only the hash of a token, with its caller and upload, until it expires', async () => {
  const { token, expires_at } = await createUploadToken(store.table, caller, upload);
  const { Items = [] } = await store.table.client.send(new ScanCommand({ TableName: store.table.tableName }));
  expect(Items).toEqual([
    {
      pk: `upload#${createHash('sha256').update(token).digest('hex')}`,
      ...caller,
      ...upload,
      expires_at,
      [timeToLive]: Math.ceil(Date.parse(expires_at) / 1000),
    },
  ]);
  expect(JSON.stringify(Items)).not.toContain(token);
});

test('returns caller and upload of a token for 15 minutes', async () => {
  const { token, expires_at } = await createUploadToken(store.table, caller, upload);
  expect(expires_at).toBe('2026-11-05T10:15:00.500Z');
  expect(await readUploadToken(store.table, token)).toEqual({ ...caller, ...upload });
  now += 15 * 60_000;
  // DynamoDB deletes expired items late.
  expect(await readUploadToken(store.table, token)).toBeUndefined();
});

test('creates unique random tokens and rejects an unknown one', async () => {
  const created = await Promise.all(Array.from({ length: 20 }, () => createUploadToken(store.table, caller, upload)));
  expect(new Set(created.map(({ token }) => token)).size).toBe(20);
  for (const { token } of created) expect(token).toMatch(/^ffu_[\w-]{43}$/);
  expect(await readUploadToken(store.table, 'ffu_unknown')).toBeUndefined();
});

test('allows ten files per token under concurrent uploads, without counting for another or an unknown token', async () => {
  const [{ token }, other] = await Promise.all([
    createUploadToken(store.table, caller, upload),
    createUploadToken(store.table, caller, upload),
  ]);
  const counted = await Promise.all(Array.from({ length: 15 }, () => countUpload(store.table, token)));
  expect(counted.filter(Boolean)).toHaveLength(10);
  expect(await countUpload(store.table, other.token)).toBe(true);
  expect(await countUpload(store.table, 'ffu_unknown')).toBe(false);
  expect(await readUploadToken(store.table, token)).toEqual({ ...caller, ...upload });
});
