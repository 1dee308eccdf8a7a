import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { anApi, anOwner, anS3, aRequest, body, dataUrl, type StoredObjects } from '../api/support.ts';
import { png } from '../media/support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
let api: ReturnType<typeof anApi>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());
beforeEach(() => {
  api = anApi(store.table);
});

const keyed = (sent: unknown, owner: string, key = 'key-1') => ({
  body: sent,
  owner,
  headers: { 'Idempotency-Key': key },
});
const inline = (side: number) => body({ input: { prompt: 'A cat runs', img_url: dataUrl(png(side, 400)) } });

test('fifty submits at once with one key make one video with one image, and all get its id', async () => {
  const owner = anOwner();
  const sent = JSON.stringify(inline(400));
  const answers = await Promise.all(Array.from({ length: 50 }, () => api.submit(keyed(sent, owner))));
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 202]);
  const { data } = (await api.list({ owner })).body;
  expect(data).toHaveLength(1);
  expect([...api.objects.keys()]).toEqual([data[0].image.key]);
});

test('of different bodies that race for one key one wins, keeps its own image, and the others are conflicts', async () => {
  const owner = anOwner();
  const answers = await Promise.all([360, 370, 380, 390].map((side) => api.submit(keyed(inline(side), owner))));
  const [winner, ...more] = answers.filter(({ status }) => status === 202);
  expect(more).toEqual([]);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(3);
  const record = await readVideo(store.table, winner!.body.id);
  const stored = Buffer.from(api.objects.get(record!.image!.key)!.bytes);
  expect(stored.equals(png(record!.image!.width, 400))).toBe(true);
});

test('a repetition gets the video as it is now, with 200, where it is, and no second image', async () => {
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

test('a repetition of a video that ended does not ask to come back', async () => {
  const owner = anOwner();
  const { body: video } = await api.submit(keyed(body(), owner));
  await changeStatus(store.table, (await readVideo(store.table, video.id))!, 'canceled');
  const again = await api.submit(keyed(body(), owner));
  expect(again).toMatchObject({ status: 200, body: { status: 'canceled' } });
  expect(again.headers).not.toHaveProperty('retry-after');
});

test('a repetition dispatches a video that is still queued, so a crash after the record heals', async () => {
  const owner = anOwner();
  const failing = anApi(store.table, { dispatch: () => Promise.reject(new Error('the process died here')) });
  const { body: video } = await failing.submit(keyed(body(), owner));
  await api.submit(keyed(body(), owner));
  expect(api.dispatched).toEqual([video.id]);
});

test('a repetition after a crash between image and record makes the one video, with the image that lay there', async () => {
  const owner = anOwner();
  const { client } = store.table;
  const send = (command: { constructor: { name: string } }) =>
    command.constructor.name === 'PutCommand'
      ? Promise.reject(new Error('the process died here'))
      : client.send(command as Parameters<typeof client.send>[0]);
  const objects: StoredObjects = new Map();
  const s3 = anS3(objects);
  const crashed = anApi({ ...store.table, client: { send } as typeof client }, { s3 });
  expect((await crashed.submit(keyed(inline(400), owner))).status).toBe(500);
  const [key] = [...objects.keys()];
  expect(key).toMatch(/^inputs\//);
  const again = await anApi(store.table, { s3 }).submit(keyed(inline(400), owner));
  expect(again).toMatchObject({ status: 202, body: { id: key!.split('/')[1], image: { key } } });
  expect(objects.size).toBe(1);
});

test('the same key with another body is a 409 that says what to do, and changes nothing', async () => {
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

test('a body is the same whatever the order of its fields', async () => {
  const owner = anOwner();
  const metadata = { a: '1', b: '2' };
  const { body: video } = await api.submit(keyed(body({ metadata }), owner));
  const reordered = JSON.stringify({ metadata: { b: '2', a: '1' }, ...body() }, null, 2);
  expect(await api.submit(keyed(reordered, owner))).toMatchObject({ status: 200, body: { id: video.id } });
});

test("one owner's key says nothing about another's", async () => {
  const [one, other] = [anOwner(), anOwner()];
  const answers = [
    await api.submit(keyed(body(), one)),
    await api.submit(keyed(body({ metadata: { a: 'b' } }), other)),
  ];
  expect(answers.map(({ status }) => status)).toEqual([202, 202]);
  expect(answers[0]!.body.id).not.toBe(answers[1]!.body.id);
});

test('a key is found whatever the case of its header', async () => {
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
])('a key that is %s is a 400, not a key that is ignored', async (_, values) => {
  const event = aRequest({ body: body(), owner: anOwner() });
  const answer = await api.submit({
    ...event,
    headers: { ...event.headers, 'idempotency-key': values.at(-1) },
    multiValueHeaders: { ...event.multiValueHeaders, 'idempotency-key': values },
  });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key' } });
  expect(api.dispatched).toEqual([]);
});
