import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { listTasksQuery, listTasksResponseBody } from '../../../../functions/api/dashscope/schemas.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { createVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { aVideo } from '../../../support/videos.ts';
import { anOwner } from '../support.ts';
import { aDashscope, aTask } from './support.ts';

const start = Date.parse('2026-03-10T12:00:00.000Z');
const hour = 3_600_000;
const store = startTable(() => start);
const dashscope = aDashscope(store.table);
let owner: string;
beforeEach(() => {
  owner = anOwner();
});

/** Stores a video that was created that many hours ago. */
async function storeVideo(hours: number, overrides: Partial<VideoRecord> = {}): Promise<string> {
  const video = aVideo({ owner, ...overrides }, start - hours * hour);
  await createVideo(store.table, video);
  return video.id;
}

const list = async (query = '', path = 'tasks') => {
  const response = await dashscope.call({ path: `${path}${query}`, owner });
  expect([response.status, response.body]).toEqual([200, expect.anything()]);
  return listTasksResponseBody.parse(response.body);
};
const ids = async (query = '') => (await list(query)).data.map(({ task_id }) => task_id);

test("lists each task with times in ms and without Wan's ids", async () => {
  const created_at = new Date(start - hour).toISOString();
  const id = await storeVideo(1, {
    status: 'succeeded',
    task: aTask({ scheduled_time: new Date(start - hour + 5000).toISOString() }),
    timeline: [
      { status: 'queued', at: created_at },
      { status: 'succeeded', at: new Date(start - hour + 90_000).toISOString() },
    ],
  });
  const response = await list();
  expect(response).toEqual({
    total: 1,
    data: [
      {
        task_id: id,
        status: 'SUCCEEDED',
        model_name: 'wan2.2-i2v-plus',
        gmt_create: start - hour,
        start_time: start - hour + 5000,
        end_time: start - hour + 90_000,
        region: 'ap-southeast-1',
        api_key_id: 'k1',
        request_id: '',
        caller_uid: '',
        caller_parent_id: '',
        user_api_unique_key: '',
      },
    ],
    total_page: 1,
    page_no: 1,
    page_size: 10,
    request_id: 'request-1',
  });
  expect(JSON.stringify(response)).not.toContain("Wan's own");
});

test('each row has the request_id of the response to its creation; a drop has none', async () => {
  const created_at = Date.now();
  const own = aDashscope({ ...store.table, now: () => created_at });
  const response = await own.call({
    method: 'POST',
    path: 'services/aigc/video-generation/video-synthesis',
    headers: { 'X-DashScope-Async': 'enable' },
    body: { model: 'wan2.2-i2v-plus', input: { img_url: 'https://example.com/cat.png' } },
    owner,
  });
  expect(response.body.request_id).toBe('request-1');
  await createVideo(
    store.table,
    aVideo({ owner, source: { type: 'drop', bucket: 'uploads', key: 'drop/cat.png' } }, created_at - 1),
  );
  const { body } = await own.call({ path: 'tasks', owner });
  expect(body.data.map(({ request_id }: { request_id: string }) => request_id)).toEqual(['request-1', '']);
});

test("lists the owner's tasks of the last 24 hours, newest first, without deleted ones", async () => {
  const [old, first, second] = [await storeVideo(25), await storeVideo(2), await storeVideo(1)];
  const deleted = aVideo({ owner, status: 'failed' }, start);
  await createVideo(store.table, deleted);
  await replaceWithTombstone(store.table, deleted);
  expect(await ids()).toEqual([second, first]);
  expect(await ids('?start_time=20260309170000')).toEqual([old]);
  owner = anOwner();
  expect(await list('', 'tasks/')).toMatchObject({ total: 0, data: [], total_page: 0 });
});

test('reads times as UTC+8 with both ends included, and completes a missing end to 24 hours', async () => {
  const [at10, at11, at12] = [await storeVideo(2), await storeVideo(1), await storeVideo(0.0001)];
  expect(await ids('?start_time=20260310180000&end_time=20260310190000')).toEqual([at11, at10]);
  expect(await ids('?end_time=20260310185959')).toEqual([at10]);
  expect(await ids('?start_time=20260310190000')).toEqual([at12, at11]);
  expect(await ids('?start_time=&end_time=')).toEqual([at12, at11, at10]);
  const withinTheSecond = await storeVideo(1 - 0.999 / 3600);
  expect(await ids('?end_time=20260310190000')).toEqual([withinTheSecond, at11, at10]);
});

test('filters by model, status, key and region, and ignores an empty filter', async () => {
  const queued = await storeVideo(1);
  const running = await storeVideo(2, { status: 'running', task: aTask() });
  const pending = await storeVideo(3, { status: 'running', task: aTask({ status: 'PENDING' }) });
  const other = await storeVideo(4, {
    ...{ model: 'wan2.6-i2v', status: 'failed' },
    source: { type: 'drop', bucket: 'uploads', key: 'drop/cat.png' },
  });
  expect(await ids('?status=PENDING')).toEqual([queued, pending]);
  expect(await ids('?status=RUNNING')).toEqual([running]);
  expect(await ids('?status=SUCCEEDED')).toEqual([]);
  expect(await ids('?model_name=wan2.6-i2v')).toEqual([other]);
  expect(await ids('?api_key_id=k1&status=FAILED')).toEqual([]);
  expect(await ids('?region=cn-beijing')).toEqual([]);
  expect(await ids('?region=ap-southeast-1&status=&model_name=')).toEqual([queued, running, pending, other]);
});

test('finds a task of any age by its id, unless a time is given', async () => {
  const old = await storeVideo(24 * 400);
  expect(await ids(`?task_id=${old}`)).toEqual([old]);
  expect(await ids(`?task_id=${old}&status=FAILED`)).toEqual([]);
  expect(await ids(`?task_id=${old}&end_time=20260310000000`)).toEqual([]);
  expect(await ids(`?task_id=${randomUUID()}`)).toEqual([]);
  owner = anOwner();
  expect(await ids(`?task_id=${old}`)).toEqual([]);
});

test('shows each task once across pages, with the total', async () => {
  const all: string[] = [];
  for (let hours = 1; hours <= 7; hours++) all.push(await storeVideo(hours));
  const seen: string[] = [];
  for (let page = 1; page <= 3; page++) {
    const { total, total_page, page_no, data } = await list(`?page_no=${page}&page_size=3`);
    expect({ total, total_page, page_no }).toEqual({ total: 7, total_page: 3, page_no: page });
    seen.push(...data.map(({ task_id }) => task_id));
  }
  expect(seen).toEqual(all);
  expect(await ids('?page_no=4&page_size=3')).toEqual([]);
});

describe('reads only the newest tasks', () => {
  /** A table with endless pages of up to `perQuery` videos. */
  function endless(perQuery: number) {
    const limits: number[] = [];
    const send = async ({ input }: { input: { Limit: number } }) => {
      limits.push(input.Limit);
      const Items = Array.from({ length: Math.min(perQuery, input.Limit) }, () => aVideo({ owner }, start - hour));
      return { Items, LastEvaluatedKey: { pk: 'more' } };
    };
    return { limits, dashscope: aDashscope({ ...store.table, client: { send } as never }) };
  }

  test('at most 2,000', async () => {
    const table = endless(600);
    const { body } = await table.dashscope.call({ path: 'tasks?page_no=20&page_size=100', owner });
    expect([body.total, body.total_page, body.data.length]).toEqual([2000, 20, 100]);
    expect(table.limits).toEqual([2000, 1400, 800, 200]);
  });

  test('at most ten megabytes', async () => {
    const table = endless(3);
    expect((await table.dashscope.call({ path: 'tasks', owner })).body.total).toBe(30);
    expect(table.limits).toHaveLength(10);
  });
});

describe('the contract and the route accept the same query', () => {
  const queries = [
    ...['page_no=1', 'page_no=1000000', 'page_no=007', 'page_no=', 'page_no=0', 'page_no=1000001', 'page_no=00000001'],
    ...['page_no=1.0', 'page_no=+1', 'page_size=100', 'page_size=0100', 'page_size=', 'page_size=101', 'page_size=000'],
    ...['status=', 'status=UNKNOWN', 'status=PENDING', 'status=pending', 'status=PENDING,FAILED'],
    ...['start_time=', 'start_time=20260310185959', 'end_time=20260310240000', 'end_time=20261310000000'],
    ...['end_time=00000101000000', 'start_time=2026031018595', 'start_time=2026-03-10', 'end_time=20260300000000'],
    ...['model_name=', 'model_name=wan9', 'region=moon', 'api_key_id=x', 'more=1'],
  ];
  test.each(queries)('%s', async (query) => {
    const { status } = await dashscope.call({ path: `tasks?${query}`, owner });
    const isValid = listTasksQuery.safeParse(Object.fromEntries(new URLSearchParams(query))).success;
    expect([status, isValid]).toEqual(isValid ? [200, true] : [400, false]);
  });
});

describe('names the invalid parameter of a query', () => {
  test.each([
    ['start_time=2026-03-10', 'start_time'],
    ['end_time=20260230000000', 'end_time'],
    ['end_time=00000101000000', 'end_time'],
    ['start_time=20260308000000&end_time=20260309000001', 'end_time'],
    ['start_time=20260310000000&end_time=20260309000000', 'end_time'],
    ['status=done', 'status'],
    ['status=__proto__', 'status'],
    ['page_no=0', 'page_no'],
    ['page_no=1e3', 'page_no'],
    ['page_no=-1', 'page_no'],
    ['page_size=0', 'page_size'],
    ['page_size=101', 'page_size'],
    [`page_size=${'9'.repeat(400)}`, 'page_size'],
  ])('%s', async (query, name) => {
    const response = await dashscope.call({ path: `tasks?${query}`, owner });
    expect(response).toMatchObject({
      status: 400,
      body: { code: 'InvalidParameter', message: expect.stringContaining(name) },
    });
  });
});
