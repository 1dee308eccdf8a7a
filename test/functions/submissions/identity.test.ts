import { beforeEach, expect, test } from 'vitest';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { fileOf } from '../../support/videos.ts';
import { anApi, anOwner, anS3, aRequest, body, dataUrl, type StoredObjects } from '../api/support.ts';
import { png } from '../media/support.ts';

const store = startTable();
let api: ReturnType<typeof anApi>;
beforeEach(() => {
  api = anApi(store.table);
});

const keyed = (sent: unknown, owner: string, key = 'key-1') => ({
  body: sent,
  owner,
  headers: { 'Idempotency-Key': key },
});
const inline = (side: number) => body({ input: { prompt: 'A cat runs', img_url: dataUrl(png(side, 400)) } });

test('creates one video with one image for fifty concurrent requests with one key', async () => {
  const owner = anOwner();
  const sent = JSON.stringify(inline(400));
  const responses = await Promise.all(Array.from({ length: 50 }, () => api.submit(keyed(sent, owner))));
  expect(new Set(responses.map((response) => response.body.id)).size).toBe(1);
  expect(responses.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 202]);
  const { data } = (await api.list({ owner })).body;
  expect(data).toHaveLength(1);
  expect([...api.objects.keys()]).toEqual([fileOf(data[0])!.key]);
});

test('accepts one of several concurrent bodies with one key, with its own image, and answers 409 to the others', async () => {
  const owner = anOwner();
  const responses = await Promise.all([360, 370, 380, 390].map((side) => api.submit(keyed(inline(side), owner))));
  const [winner, ...more] = responses.filter(({ status }) => status === 202);
  expect(more).toEqual([]);
  expect(responses.filter(({ status }) => status === 409)).toHaveLength(3);
  const record = await readVideo(store.table, winner!.body.id);
  const stored = Buffer.from(api.objects.get(fileOf(record!)!.key)!.bytes);
  expect(stored.equals(png(fileOf(record!)!.width!, 400))).toBe(true);
});

test('returns the existing video with 200 for a repeated request, without a second image', async () => {
  const owner = anOwner();
  const first = await api.submit(keyed(inline(400), owner));
  await changeStatus(store.table, (await readVideo(store.table, first.body.id))!, 'submitting');
  const again = await api.submit(keyed(inline(400), owner));
  expect(again).toMatchObject({
    status: 200,
    headers: { location: `videos/${first.body.id}` },
    body: { id: first.body.id, status: 'submitting' },
  });
  expect(api.objects.size).toBe(1);
  expect(api.dispatched).toEqual([first.body.id]);
});

test('returns no Retry-After for a repeated request of an ended video', async () => {
  const owner = anOwner();
  const { body: video } = await api.submit(keyed(body(), owner));
  await changeStatus(store.table, (await readVideo(store.table, video.id))!, 'canceled');
  const again = await api.submit(keyed(body(), owner));
  expect(again).toMatchObject({ status: 200, body: { status: 'canceled' } });
  expect(again.headers).not.toHaveProperty('retry-after');
});

test('dispatches a queued video again for a repeated request after a crash', async () => {
  const owner = anOwner();
  const failing = anApi(store.table, { dispatch: () => Promise.reject(new Error('crash')) });
  const { body: video } = await failing.submit(keyed(body(), owner));
  await api.submit(keyed(body(), owner));
  expect(api.dispatched).toEqual([video.id]);
});

test('creates the video with the stored image after a crash between image and record', async () => {
  const owner = anOwner();
  const { client } = store.table;
  const send = (command: { constructor: { name: string } }) =>
    command.constructor.name === 'PutCommand'
      ? Promise.reject(new Error('crash'))
      : client.send(command as Parameters<typeof client.send>[0]);
  const objects: StoredObjects = new Map();
  const s3 = anS3(objects);
  const crashed = anApi({ ...store.table, client: { send } as typeof client }, { s3 });
  expect((await crashed.submit(keyed(inline(400), owner))).status).toBe(500);
  const [key] = [...objects.keys()];
  expect(key).toMatch(/^inputs\//);
  const again = await anApi(store.table, { s3 }).submit(keyed(inline(400), owner));
  expect(again).toMatchObject({ status: 202, body: { id: key!.split('/')[1], input: { media: [{ file: { key } }] } } });
  expect(objects.size).toBe(1);
});

test('answers 409 with the fix for the same key with another body, and changes nothing', async () => {
  const owner = anOwner();
  const first = await api.submit(keyed(body(), owner));
  const other = await api.submit(keyed(body({ metadata: { a: 'b' } }), owner));
  expect(other).toMatchObject({
    status: 409,
    headers: { 'content-type': 'application/problem+json' },
    body: { code: 'idempotency_conflict', detail: expect.stringContaining('new key') },
  });
  expect(JSON.stringify(other)).not.toContain(first.body.id);
  expect((await api.list({ owner })).body.data).toMatchObject([{ metadata: {} }]);
});

test('ignores the order of fields when it compares bodies', async () => {
  const owner = anOwner();
  const metadata = { a: '1', b: '2' };
  const { body: video } = await api.submit(keyed(body({ metadata }), owner));
  const reordered = JSON.stringify({ metadata: { b: '2', a: '1' }, ...body() }, null, 2);
  expect(await api.submit(keyed(reordered, owner))).toMatchObject({ status: 200, body: { id: video.id } });
});

test('separates the keys of different owners', async () => {
  const [one, other] = [anOwner(), anOwner()];
  const responses = [
    await api.submit(keyed(body(), one)),
    await api.submit(keyed(body({ metadata: { a: 'b' } }), other)),
  ];
  expect(responses.map(({ status }) => status)).toEqual([202, 202]);
  expect(responses[0]!.body.id).not.toBe(responses[1]!.body.id);
});

test('reads the key from a header in any case', async () => {
  const owner = anOwner();
  const one = await api.submit({ body: body(), owner, headers: { 'idempotency-key': 'k' } });
  const other = await api.submit({ body: body(), owner, headers: { 'IDEMPOTENCY-KEY': 'k' } });
  expect(other).toMatchObject({ status: 200, body: { id: one.body.id } });
});

test.each([
  ['empty', ['']],
  ['too long', ['x'.repeat(256)]],
  ['with spaces', ['two words']],
  ['no ASCII', ['schlüssel']],
  ['sent twice', ['one', 'two']],
])('answers 400 for a key that is %s', async (_, values) => {
  const event = aRequest({ body: body(), owner: anOwner() });
  const response = await api.submit({
    ...event,
    headers: { ...event.headers, 'idempotency-key': values.at(-1) },
    multiValueHeaders: { ...event.multiValueHeaders, 'idempotency-key': values },
  });
  expect(response).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key' } });
  expect(api.dispatched).toEqual([]);
});
