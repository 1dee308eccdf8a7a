import { describe, expect, test } from 'vitest';
import { bodyFor, createClient, wanForTest } from './support.ts';

const throttled = {
  code: 'Throttling.RateQuota',
  message: 'Requests rate limit exceeded, please try again later.',
  request_id: expect.any(String),
};

describe.each([
  ['wan2.6-i2v', 5],
  ['wan2.5-i2v-preview', 5],
  ['wan2.2-i2v-plus', 2],
  ['wan2.2-i2v-flash', 2],
  ['wan2.1-i2v-turbo', 2],
  ['wan2.1-i2v-plus', 2],
  ['wan2.6-i2v-flash', 5],
  ['wan2.7-i2v', 5],
  ['wan2.7-i2v-2026-04-25', 5],
  ['wan3.0-video', 2],
  ['wan3.0-video-prime', 2],
])('%s', (model, limit) => {
  test(`accepts ${limit} submissions per second and account, independent of other models and accounts`, async () => {
    const { client, clock, wan } = await wanForTest({ limits: 'on' });
    const submits = async (count: number) => {
      const statuses = [];
      for (let index = 0; index < count; index += 1) statuses.push((await client.submit(bodyFor(model))).status);
      return statuses;
    };
    expect(await submits(limit)).toEqual(new Array(limit).fill(200));
    const rejected = await client.submit(bodyFor(model));
    expect([rejected.status, rejected.body]).toEqual([429, throttled]);
    const other = model === 'wan2.6-i2v' ? 'wan2.1-i2v-plus' : 'wan2.6-i2v';
    expect((await client.submit(bodyFor(other))).status).toBe(200);
    expect((await createClient(wan, 'sk-other').submit(bodyFor(model))).status).toBe(200);
    clock.advance(1 / limit);
    expect(await submits(2)).toEqual([200, 429]);
  });

  test(`runs ${limit} tasks concurrently; the next is PENDING until one ends`, async () => {
    const { client, clock } = await wanForTest({ limits: 'on' });
    const tasks: string[] = [];
    for (let index = 0; index < limit + 1; index += 1) {
      tasks.push(await client.create(bodyFor(model, { input: { prompt: '[[seconds=10]] [[fail=SystemError]]' } })));
      clock.advance(0.5);
    }
    const statuses = () => Promise.all(tasks.map((taskId) => client.statusOf(taskId)));
    expect(await statuses()).toEqual([...new Array(limit).fill('RUNNING'), 'PENDING']);
    clock.advance(10 - 0.5 * (limit + 1));
    expect(await statuses()).toEqual(['FAILED', ...new Array(limit).fill('RUNNING')]);
    clock.advance(9.999);
    expect((await statuses()).at(-1)).toBe('RUNNING');
    clock.advance(0.001);
    expect((await statuses()).at(-1)).toBe('FAILED');
  });
});

test('accepts all evenly spaced submissions at the limit', async () => {
  const { client, clock } = await wanForTest({ limits: 'on' });
  for (let index = 0; index < 30; index += 1) {
    expect((await client.submit(bodyFor('wan2.6-i2v', { input: { prompt: '[[unknown]]' } }))).status).toBe(200);
    clock.advance(0.2);
  }
});

test('a canceled task frees its slot', async () => {
  const { client, clock } = await wanForTest({ limits: 'on' });
  const tasks: string[] = [];
  for (let index = 0; index < 4; index += 1) {
    tasks.push(
      await client.create(bodyFor('wan2.1-i2v-plus', { input: { prompt: '[[seconds=10]] [[fail=SystemError]]' } })),
    );
    clock.advance(0.5);
  }
  await client.cancel(tasks[2] ?? '');
  clock.advance(8.5);
  expect(await Promise.all(tasks.map((taskId) => client.statusOf(taskId)))).toEqual([
    'FAILED',
    'FAILED',
    'CANCELED',
    'RUNNING',
  ]);
});

describe.each(['query', 'list', 'cancel'] as const)('%s', (operation) => {
  test('is accepted 20 times per second, with a limit of its own', async () => {
    const { client, clock } = await wanForTest({ limits: 'on' });
    const path = { query: 'x', list: '', cancel: 'x' }[operation];
    const replies = await Promise.all(Array.from({ length: 21 }, () => client[operation](path)));
    expect(replies.filter(({ status }) => status === 429).map(({ body }) => body)).toEqual([throttled]);
    const other = operation === 'query' ? client.list() : client.query('x');
    expect((await other).status).toBe(200);
    clock.advance(1);
    expect((await client[operation](path)).status).not.toBe(429);
  });
});

test('throttles nothing and runs all tasks concurrently when limits are off', async () => {
  const { client, clock } = await wanForTest();
  const tasks = await Promise.all(Array.from({ length: 30 }, () => client.create(bodyFor('wan2.1-i2v-plus'))));
  clock.advance(1);
  const statuses = await Promise.all(tasks.map((taskId) => client.statusOf(taskId)));
  expect(new Set(statuses)).toEqual(new Set(['RUNNING']));
});

describe('the quotas', () => {
  const limit = (model: string, perSecond: number) => ({
    ...{ model, workspace_id: 'ws-emulator', workspace_limit: null },
    model_limit: expect.objectContaining({
      ...{ request_limit: perSecond, request_limit_period: 1, async_user_concurrency_limit: perSecond },
    }),
  });

  test('list the limits of a model, of those with a name, and of all in pages', async () => {
    const { client } = await wanForTest();
    const quotas = async (query: string) => (await client.quotas(query)).body.output;
    expect(await quotas('?model=wan3.0-video')).toEqual({
      ...{ total: 1, page_no: 1, page_size: 20, quotas: [limit('wan3.0-video', 2)] },
    });
    expect((await quotas('?name=wan2.7')).quotas).toEqual([limit('wan2.7-i2v', 5), limit('wan2.7-i2v-2026-04-25', 5)]);
    expect(await quotas('?page_no=2&page_size=10')).toMatchObject({
      total: 11,
      quotas: [{ model: 'wan3.0-video-prime' }],
    });
    expect(await quotas('?model=wan9')).toMatchObject({ total: 0, quotas: [] });
  });

  test('exist on workspace domains alone', async () => {
    const { client } = await wanForTest({ domain: 'shared' });
    expect((await client.quotas('')).status).toBe(404);
  });
});
