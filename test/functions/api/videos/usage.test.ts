import { describe, expect, test } from 'vitest';
import type { UsageServices } from '../../../../functions/api/videos/usage.ts';
import { reserveSpending, settleSpending } from '../../../../functions/ledger/spending.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { startTable } from '../../../support/table.ts';
import { aVideo } from '../../../support/videos.ts';
import { anApi, anOwner } from '../support.ts';

const now = Date.parse('2026-02-28T23:59:59Z');
const store = startTable(() => now);

const usage = (overrides: Partial<UsageServices> = {}) => anApi(store.table, overrides).usage;

const price = (amount: number) => ({
  amount,
  currency: 'USD' as const,
  unit_price: 0.1,
  seconds: 1,
  as_of: '2026-01-01',
});

/** Reserves an amount for a video in progress. */
async function reserve(owner: string, amount: number, overrides: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = aVideo({ owner, run: 1, spending_month: '2026-02', estimated_cost: price(amount), ...overrides });
  expect(await reserveSpending(store.table, { ...video, status: 'queued' }, undefined)).toBe(true);
  return video;
}

const spend = async (owner: string, amount: number, overrides: Partial<VideoRecord> = {}) =>
  settleSpending(store.table, {
    ...(await reserve(owner, amount, overrides)),
    status: 'succeeded',
    cost: price(amount),
  });

describe('GET /usage', () => {
  test('returns the spending of this month by model without rounding errors', async () => {
    const owner = anOwner();
    for (const amount of [0.1, 0.2]) await spend(owner, amount);
    await spend(owner, 0.000001, { model: 'wan2.1-i2v-turbo' });
    await reserve(owner, 0.3);
    const { status, body } = await usage({ monthlySpendingLimit: 1 })({ owner });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        month: '2026-02',
        currency: 'USD',
        spent: 0.300001,
        reserved: 0.3,
        limit: 1,
        remaining: 0.399999,
        videos: 3,
        models: [
          { model: 'wan2.1-i2v-turbo', videos: 1, spent: 0.000001 },
          { model: 'wan2.2-i2v-plus', videos: 2, spent: 0.3 },
        ],
      },
    });
  });

  test('returns zeros for a month without videos and null without a limit', async () => {
    const { body } = await usage({ wanRegion: 'beijing' })({ owner: anOwner() });
    expect(body).toEqual({
      month: '2026-02',
      currency: 'CNY',
      spent: 0,
      reserved: 0,
      limit: null,
      remaining: null,
      videos: 0,
      models: [],
    });
  });

  test('never returns a negative remainder', async () => {
    const owner = anOwner();
    await spend(owner, 3);
    expect((await usage({ monthlySpendingLimit: 2 })({ owner })).body).toMatchObject({ limit: 2, remaining: 0 });
  });

  test('returns the requested month of the caller only', async () => {
    const [owner, other] = [anOwner(), anOwner()];
    await spend(owner, 1, { spending_month: '2026-01' });
    await spend(other, 5, { spending_month: '2026-01' });
    expect((await usage()({ owner, query: { month: '2026-01' } })).body).toMatchObject({ month: '2026-01', spent: 1 });
    expect((await usage()({ owner })).body).toMatchObject({ month: '2026-02', spent: 0 });
    expect((await usage()({ owner: anOwner(), query: { month: '2026-01' } })).body).toMatchObject({ spent: 0 });
  });

  test('answers a known ETag with 304 until something is spent', async () => {
    const owner = anOwner();
    const { etag } = (await usage()({ owner })).headers;
    const headers = { 'if-none-match': etag! };
    expect(await usage()({ owner, headers })).toMatchObject({ status: 304, headers: { etag }, body: undefined });
    await spend(owner, 1);
    expect((await usage()({ owner, headers })).status).toBe(200);
  });

  test.each(['2026', '2026-00', '2026-13', '2026-1', '26-01', '2026-01-01', '', '2026-01#x', '١٢٣٤-01'])(
    'answers the month "%s" with 400 and the expected format',
    async (month) => {
      expect(await usage()({ query: { month } })).toMatchObject({
        status: 400,
        body: { code: 'invalid_query', errors: [{ pointer: '/month', message: expect.stringContaining('2026-01') }] },
      });
    },
  );
});
