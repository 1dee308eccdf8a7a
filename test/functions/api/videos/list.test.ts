import { randomUUID } from 'node:crypto';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { startTable } from '../../../support/table.ts';
import { aVideo, firstFrame } from '../../../support/videos.ts';
import { anApi, anOwner } from '../support.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const store = startTable();
const api = anApi(store.table);

/** Creates a video `second` seconds after the start. */
async function storeVideo(owner: string, second: number, overrides: Partial<VideoRecord> = {}): Promise<string> {
  const video = aVideo({ owner, ...overrides }, start + second * 1000);
  await createVideo(store.table, video);
  return video.id;
}

const remove = async (id: string) => replaceWithTombstone(store.table, (await readVideo(store.table, id))!);

const ids = (response: { body: { data: { id: string }[] } }) => response.body.data.map(({ id }) => id);

/** Reads all pages. */
async function pages(
  owner: string,
  query: Record<string, string>,
  between = async (_shown: string[]) => {},
): Promise<string[][]> {
  const read: string[][] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const response = await api.list({ owner, query: { ...query, ...(cursor ? { cursor } : {}) } });
    expect(response.status).toBe(200);
    read.push(ids(response));
    cursor = response.body.next_cursor as string | null;
    await between(ids(response));
  }
  return read;
}

test("lists the owner's videos, newest first, as GET /videos/{id} returns them", async () => {
  const [owner, other] = [anOwner(), anOwner()];
  const [first, second] = [await storeVideo(owner, 1), await storeVideo(owner, 2)];
  await storeVideo(other, 3);
  const response = await api.list({ owner });
  expect(ids(response)).toEqual([second, first]);
  expect(response.body.next_cursor).toBeNull();
  expect(response.body.data[0]).toEqual((await api.get({ owner, id: second })).body);
});

test('returns an empty list for an owner without videos', async () => {
  expect((await api.list({ owner: anOwner() })).body).toEqual({ data: [], next_cursor: null });
});

test.each([1, 2, 3, 7, 100])('shows each video once in pages of %i, even with equal times', async (limit) => {
  const owner = anOwner();
  const all: string[] = [];
  for (let second = 0; second < 7; second++) all.push(await storeVideo(owner, Math.floor(second / 3)));
  const read = await pages(owner, { limit: String(limit) });
  expect(read.flat().toSorted()).toEqual(all.toSorted());
  expect(read.every((page) => page.length <= limit && page.length > 0)).toBe(true);
});

test('shows every video once while others are added and shown ones are deleted', async () => {
  const owner = anOwner();
  const all: string[] = [];
  for (let second = 0; second < 6; second++) all.unshift(await storeVideo(owner, second));
  let later = 100;
  const read = await pages(owner, { limit: '2' }, async (shown) => {
    await storeVideo(owner, later++);
    for (const id of shown) await remove(id);
  });
  expect(read.flat()).toEqual(all);
});

test.each([1, 2, 3, 4, 5])(
  'shows each video that exists throughout exactly once under random changes (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const below = (count: number) => Math.floor(random() * count);
    const owner = anOwner();
    const states = ['queued', 'failed'] as const;
    const existing = new Set<string>();
    for (let count = 0; count < 30; count++)
      existing.add(await storeVideo(owner, below(12), { status: states[below(2)]! }));
    const added = new Set<string>();
    const query = { limit: String(1 + below(5)), ...(seed % 2 ? {} : { status: 'failed' }) };
    const matching = new Set<string>();
    for (const id of existing) {
      if (seed % 2 || (await readVideo(store.table, id))!.status === 'failed') matching.add(id);
    }
    let later = 100;
    const read = await pages(owner, query, async (shown) => {
      added.add(await storeVideo(owner, later++, { status: 'failed' }));
      // Includes the video that the next cursor names.
      for (const id of [shown.at(-1), [...existing][below(existing.size)]]) {
        if (id && random() < 0.7 && existing.delete(id)) await remove(id);
      }
    });
    const shown = read.flat();
    expect(new Set(shown).size).toBe(shown.length);
    expect([...matching].filter((id) => existing.has(id) && !shown.includes(id))).toEqual([]);
    expect(shown.filter((id) => !matching.has(id))).toEqual([]);
    expect(shown.filter((id) => added.has(id))).toEqual([]);
  },
);

test('answers a known ETag with 304 until the list changes', async () => {
  const owner = anOwner();
  await storeVideo(owner, 1);
  const { etag } = (await api.list({ owner })).headers;
  const headers = { 'if-none-match': etag! };
  expect(await api.list({ owner, headers })).toMatchObject({ status: 304, headers: { etag }, body: undefined });
  await storeVideo(owner, 2);
  expect((await api.list({ owner, headers })).status).toBe(200);
});

test('returns 20 videos per page by default', async () => {
  const owner = anOwner();
  await Promise.all(Array.from({ length: 21 }, (_, second) => storeVideo(owner, second)));
  expect(ids(await api.list({ owner }))).toHaveLength(20);
});

test('filters by status, model and time (both ends excluded) across pages', async () => {
  const owner = anOwner();
  const created: Record<string, string> = {};
  for (const second of [0, 1, 2, 3]) {
    created[`queued ${second}`] = await storeVideo(owner, second);
    created[`failed ${second}`] = await storeVideo(owner, second, { status: 'failed', model: 'wan2.6-i2v' });
  }
  const failed = (...seconds: number[]) => seconds.map((second) => created[`failed ${second}`]);
  expect((await pages(owner, { status: 'failed', limit: '1' })).flat()).toEqual(failed(3, 2, 1, 0));
  expect((await pages(owner, { model: 'wan2.6-i2v' })).flat()).toEqual(failed(3, 2, 1, 0));
  const between = { created_after: '2026-01-01T00:00:00Z', created_before: '2026-01-01T01:00:03+01:00' };
  expect((await pages(owner, { status: 'failed', ...between })).flat()).toEqual(failed(2, 1));
  expect((await pages(owner, { status: 'failed', limit: '1', ...between })).flat()).toEqual(failed(2, 1));
  expect(await pages(owner, { created_after: '2026-01-01T00:00:03Z' })).toEqual([[]]);
  expect(await pages(owner, { created_before: '2026-01-01T00:00:00Z' })).toEqual([[]]);
  // A date means its start.
  expect(await pages(owner, { created_before: '2026-01-01' })).toEqual([[]]);
  expect((await pages(owner, { created_after: '2025-12-31', created_before: '2026-01-02' })).flat()).not.toEqual([]);
  expect(await pages(owner, { created_after: '2027-01-01T00:00:00Z', created_before: '2026-01-01T00:00:00Z' })).toEqual(
    [[]],
  );
});

test('continues over pages without a match and loses no video', async () => {
  const owner = anOwner();
  const failed = await storeVideo(owner, 0, { status: 'failed' });
  for (let second = 1; second <= 25; second++) await storeVideo(owner, second);
  // Two videos per query, as with large videos.
  const client: Table['client'] = {
    send: ((command: { input: object }) => {
      if (command instanceof QueryCommand) Object.assign(command.input, { Limit: 2 });
      return (store.table.client.send as (sent: unknown) => unknown)(command);
    }) as Table['client']['send'],
  };
  const { list } = anApi({ ...store.table, client });
  const first = await list({ owner, query: { status: 'failed' } });
  expect(first.body).toEqual({ data: [], next_cursor: expect.any(String) });
  const second = await list({ owner, query: { status: 'failed', cursor: first.body.next_cursor } });
  expect({ ids: ids(second), next_cursor: second.body.next_cursor }).toEqual({ ids: [failed], next_cursor: null });
});

test('ends a page below the size of a Lambda response and loses no video', async () => {
  const owner = anOwner();
  // The worst case: two layers of JSON turn each character into seven bytes.
  const prompt = '\u0001'.repeat(20_000);
  const input = { prompt, negative_prompt: prompt, media: firstFrame('https://example.com/cat.png') };
  const all = await Promise.all(Array.from({ length: 24 }, (_, second) => storeVideo(owner, second, { input })));
  const first = await api.list({ owner, query: { limit: '100' } });
  expect(Buffer.byteLength(JSON.stringify(JSON.stringify(first.body)))).toBeLessThan(6_000_000);
  expect(first.body.data.length).toBeGreaterThan(10);
  expect((await pages(owner, { limit: '100' })).flat().toSorted()).toEqual(all.toSorted());
});

test("a cursor never shows another owner's videos", async () => {
  const [owner, other] = [anOwner(), anOwner()];
  for (const second of [0, 1, 2]) await storeVideo(owner, second);
  const ownVideo = await storeVideo(other, 0);
  const { next_cursor } = (await api.list({ owner, query: { limit: '1' } })).body;
  expect(ids(await api.list({ owner: other, query: { cursor: next_cursor } }))).toEqual([ownVideo]);
});

describe('an invalid query', () => {
  const validCursor = `2026-01-01T00:00:00.000Z_${randomUUID()}`;

  test.each([
    ['status', 'done'],
    ['status', 'QUEUED'],
    ['model', ''],
    ['created_after', 'yesterday'],
    ['created_after', '2026-02-30T00:00:00Z'],
    ['created_before', '2026-02-30'],
    ['created_before', '2026-1-1'],
    ['created_before', '01/02/2026'],
    ['created_before', '9999-12-31T23:59:59-23:59'],
    ['created_after', '0000-01-01T00:00:00+23:59'],
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '1e2'],
    ['limit', '-1'],
    ['limit', ''],
    ['limit', '9'.repeat(400)],
    ['cursor', ''],
    ['cursor', 'x'],
    ['cursor', '💥'],
    ['cursor', 'A'.repeat(5000)],
    ['cursor', `${validCursor}=`],
    ['cursor', ` ${validCursor}`],
    ['cursor', validCursor.replace('_', '#')],
    ['cursor', '2026-01-01T00:00:00.000Z_'],
    ['cursor', `bob#${validCursor}`],
    ['cursor', '{"pk":{"S":"key#"}}'],
    ['wait', '20'],
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['a/b~', 'x'],
  ])('answers %s=%s with 400 and its name', async (name, value) => {
    const query = JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`) as Record<string, string>;
    const response = await api.list({ query });
    expect(response).toMatchObject({ status: 400, body: { code: 'invalid_query' } });
    const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    expect(response.body.errors).toEqual([
      { pointer, code: expect.any(String), message: expect.stringMatching(/^[A-Z].*\.$/) },
    ]);
    expect(response.body.detail).toContain(response.body.errors[0].message);
  });

  test('gets all issues in one response', async () => {
    const response = await api.list({ query: { limit: 'x', status: 'x', order: 'x', by: 'x' } });
    const pointers = response.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort();
    expect(pointers).toEqual(['/by', '/limit', '/order', '/status']);
  });

  test('is refused for a repeated parameter, even with equal values', async () => {
    for (const limit of [
      ['1', '2'],
      ['1', '1'],
    ]) {
      expect(await api.list({ query: { limit, status: 'queued' } })).toMatchObject({
        status: 400,
        body: { code: 'invalid_query', errors: [{ pointer: '/limit', code: 'repeated_parameter' }] },
      });
    }
  });

  test('does not include an old but valid cursor', async () => {
    expect((await api.list({ owner: anOwner(), query: { cursor: validCursor } })).status).toBe(200);
  });
});
