import type { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { markHandled } from '../../../functions/drops/drop-identity.ts';
import { type DroppedObject, findLatest } from '../../../functions/drops/dropped-object.ts';
import { resultKey, writeResult } from '../../../functions/drops/result-object.ts';
import { acceptLostDrops, countForgottenDrops } from '../../../functions/maintenance/lost-drops.ts';
import { keys } from '../../../functions/video/keys.ts';
import { getItem } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { get, put } from '../drops/results.ts';
import { versionedBuckets } from '../versioned-buckets.ts';

const [minute, hour] = [60_000, 3_600_000];
let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
let store: Awaited<ReturnType<typeof startTable>>;
/** How much later than now the sweep runs. */
let later = 0;
let accepted: DroppedObject[];
beforeAll(async () => {
  buckets = await versionedBuckets();
});
afterAll(() => buckets.close());
beforeEach(async () => {
  store = await startTable(() => Date.now() + later);
  later = 20 * minute;
  accepted = [];
  return store.close;
});

/** Each test has a bucket of its own, so that a listing shows nothing else. */
let bucket: string;
beforeEach(async () => {
  bucket = await buckets.addBucket();
});
const services = () => ({
  table: store.table,
  s3: buckets.s3,
  uploadsBucket: bucket,
  accept: async (object: DroppedObject) => void accepted.push(object),
});
const run = () => acceptLostDrops(services());
const keysAccepted = () => accepted.map(({ key }) => key).sort();
const drop = async (key: string) => {
  await put(buckets.s3, bucket, key, 'an image');
  return (await findLatest(buckets.s3, bucket, key))!;
};
const handle = (object: DroppedObject) => markHandled(store.table, object, object.last_modified!);
const writeResultOf = (object: DroppedObject) =>
  writeResult(buckets.s3, resultKey(object.key), object, '2026', async () => ({}));

test('accepts an image and a manifest of the last day that have neither a drop item nor a result', async () => {
  const image = await drop('drop/a b+c%.png');
  const manifest = await drop('drop/manifest.jsonl');
  expect(await run()).toBe(2);
  expect(accepted.sort((one, other) => (one.key < other.key ? -1 : 1))).toEqual([image, manifest]);
});

test.each([
  ['younger than 10 minutes', 9 * minute],
  ['older than a day', 24 * hour + minute],
])('leaves one that is %s', async (_, age) => {
  later = age;
  await drop('drop/cat.png');
  expect(await run()).toBe(0);
});

test('leaves one whose event was handled, until a later version is uploaded', async () => {
  const first = await drop('drop/cat.png');
  await handle(first);
  expect(await run()).toBe(0);
  await markHandled(store.table, first, first.last_modified! - 1);
  expect(await run()).toBe(0);
  // As if this version had been stored a second later.
  await handle({ ...(await drop('drop/later.png')), key: 'drop/later.png', last_modified: first.last_modified! - 1 });
  expect(await run()).toBe(1);
  expect(keysAccepted()).toEqual(['drop/later.png']);
});

test('leaves one whose result exists, but not for the result of an earlier version', async () => {
  await writeResultOf(await drop('drop/done.png'));
  await writeResultOf(await drop('drop/manifest.jsonl'));
  await writeResultOf(await drop('drop/replaced.png'));
  const replaced = await drop('drop/replaced.png');
  expect(await run()).toBe(1);
  expect(accepted).toEqual([replaced]);
});

test('leaves everything that starts no video', async () => {
  for (const key of ['drop/notes.txt', 'drop/_defaults.json', 'uploads/alice/cat.png', 'drop/cat.png.mp4'])
    await drop(key);
  expect(await run()).toBe(0);
});

test('keeps the settings of folders when half of the retention time of drops is over, and nothing else', async () => {
  const names = ['drop/_defaults.json', 'drop/cats & dogs/é/_defaults.json', 'drop/cat.png', 'drop/_done/a.png'];
  const versions = await Promise.all(names.map(async (key) => (await drop(key)).version_id));
  const isNew = () =>
    Promise.all(
      names.map(async (key, index) => (await findLatest(buckets.s3, bucket, key))!.version_id !== versions[index]),
    );
  const keep = (retentionDays?: number) => acceptLostDrops({ ...services(), retentionDays });
  later = 5 * 24 * hour - minute;
  await keep(10);
  later = 1000 * 24 * hour;
  await keep();
  expect(await isNew()).toEqual([false, false, false, false]);
  later = 5 * 24 * hour + minute;
  await keep(10);
  expect(await isNew()).toEqual([true, true, false, false]);
  expect(await get(buckets.s3, bucket, names[1]!)).toMatchObject({ text: 'an image', type: 'application/json' });
  expect(accepted).toEqual([]);
});

test('accepts a sidecar whose image waits for it, and none whose image is missing, finished or forgotten', async () => {
  await handle(await drop('drop/waits.png'));
  await drop('drop/waits.png.json');
  await drop('drop/missing.png.json');
  await writeResultOf(await drop('drop/done.png'));
  await drop('drop/done.png.json');
  const forgotten = await drop('drop/forgotten.png');
  await drop('drop/forgotten.png.json');
  const aDayOlder = async (command: PutObjectCommand) => {
    const answer = (await buckets.s3.send(command)) as { Contents?: object[]; VersionId?: string };
    const LastModified = new Date(Date.now() - 25 * hour);
    const listed = answer.Contents?.find((object) => (object as { Key: string }).Key === 'drop/forgotten.png');
    if (listed) Object.assign(listed, { LastModified });
    return answer.VersionId === forgotten.version_id ? { ...answer, LastModified } : answer;
  };
  await acceptLostDrops({ ...services(), s3: { send: aDayOlder as typeof buckets.s3.send } });
  expect(keysAccepted()).toEqual(['drop/waits.png.json']);
});

test('continues where the last run stopped, begins again after the end, and lists ten pages at most', async () => {
  const lists: { StartAfter?: string }[] = [];
  // Pages of one object instead of a thousand.
  const send = async (command: { constructor: { name: string }; input: object }) => {
    if (command.constructor.name !== 'ListObjectsV2Command') return buckets.s3.send(command as PutObjectCommand);
    lists.push(command.input);
    Object.assign(command.input, { MaxKeys: 1 });
    return buckets.s3.send(command as PutObjectCommand);
  };
  const paged = { ...services(), s3: { send: send as typeof buckets.s3.send } };
  for (let at = 0; at < 12; at++) await drop(`drop/${String(at).padStart(2, '0')} é.png`);
  await acceptLostDrops(paged);
  expect(keysAccepted()).toHaveLength(10);
  expect(lists).toHaveLength(10);
  await acceptLostDrops(paged);
  expect(keysAccepted()).toHaveLength(12);
  expect(lists[10]).toMatchObject({ StartAfter: 'drop/09 é.png' });
  expect(await getItem(store.table, keys.dropListing)).not.toHaveProperty('after');
});

test('begins no further page after 30 seconds, and continues there', async () => {
  for (const name of ['a', 'b']) await drop(`drop/${name}.png`);
  const paged = {
    send: (command: PutObjectCommand) => {
      if (command.constructor.name === 'ListObjectsV2Command') Object.assign(command.input, { MaxKeys: 1 });
      return buckets.s3.send(command);
    },
  };
  const slow = {
    ...services(),
    s3: paged as typeof buckets.s3,
    accept: async (object: DroppedObject) => {
      accepted.push(object);
      later += 31_000;
    },
  };
  await acceptLostDrops(slow);
  expect(keysAccepted()).toEqual(['drop/a.png']);
  await acceptLostDrops(slow);
  expect(keysAccepted()).toEqual(['drop/a.png', 'drop/b.png']);
});

test('accepts the others when one fails, and that one in the next pass', async () => {
  await drop('drop/a.png');
  await drop('drop/b.png');
  const failing = {
    ...services(),
    accept: async (object: DroppedObject) => {
      if (object.key === 'drop/a.png') throw new Error('SQS is away');
      accepted.push(object);
    },
  };
  await expect(acceptLostDrops(failing)).rejects.toThrow('1 lost drops could not be accepted.');
  expect(keysAccepted()).toEqual(['drop/b.png']);
  await run();
  expect(keysAccepted()).toContain('drop/a.png');
});

test('counts the images and manifests that are older than a day and were never handled', async () => {
  await drop('drop/a.png');
  await drop('drop/manifest.jsonl');
  await drop('drop/a.png.json');
  await handle(await drop('drop/handled.png'));
  await writeResultOf(await drop('drop/done.png'));
  later = 23 * hour;
  expect(await countForgottenDrops(services(), 1)).toEqual({ count: 0, isComplete: true });
  later = 25 * hour;
  expect(await countForgottenDrops(services(), 1)).toEqual({ count: 2, isComplete: true });
  expect(accepted).toEqual([]);
});
