import { describe, expect, test } from 'vitest';
import {
  isWithinLimit,
  readSpending,
  releaseSpending,
  reserveSpending,
  settleSpending,
} from '../../../functions/ledger/spending.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { explainEnding } from '../../../functions/wan/failures.ts';
import type { Price } from '../../../functions/wan/prices.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

const month = '2026-01';
let owners = 0;
const store = startTable();

const price = (amount: number): Price => ({
  amount,
  currency: 'USD',
  unit_price: amount / 5,
  seconds: 5,
  as_of: '2025-12-29',
});

/** Returns submitting videos of a new owner, and that owner's spending. */
function spender(amount = 0.1) {
  const owner = `owner-${++owners}`;
  const video = (given: Partial<VideoRecord> = {}) =>
    aVideo({ owner, status: 'submitting', run: 1, estimated_cost: price(amount), ...given });
  return { video, spending: () => readSpending(store.table, owner, month) };
}
/** An open ledger entry. */
const attempt = (number: number): Pick<VideoRecord, 'submission'> => ({
  submission: { attempt: number, state: 'open', sent_at: '2026-01-01T00:00:00.000Z' },
});
const reserve = (video: VideoRecord, limit?: number) => reserveSpending(store.table, video, limit);
const settle = (video: VideoRecord) => settleSpending(store.table, video);

test('grants ten of a hundred concurrent reservations against a limit for ten', async () => {
  const { video, spending } = spender(0.1);
  const taken = await Promise.all(Array.from({ length: 100 }, () => reserve(video(), 1)));
  expect(taken.filter(Boolean)).toHaveLength(10);
  expect(await spending()).toEqual({ spent: 0, reserved: 1, videos: 0, models: [] });
});

test('keeps spending within the limit while videos succeed concurrently, and leaves the remainder usable', async () => {
  const { video, spending } = spender(0.3);
  const makeOne = async () => {
    const one = video();
    if (!(await reserve(one, 1))) return 'refused';
    await settle({ ...one, status: 'succeeded', cost: price(0.3) });
    return 'made';
  };
  const outcomes = await Promise.all(Array.from({ length: 20 }, makeOne));
  expect(outcomes.filter((outcome) => outcome === 'made')).toHaveLength(3);
  expect(await spending()).toMatchObject({ spent: 0.9, reserved: 0, videos: 3 });
  expect(await reserve(video({ estimated_cost: price(0.1) }), 1)).toBe(true);
});

test('reserves once for repeated calls, even at the limit', async () => {
  const { video, spending } = spender(1);
  const one = video();
  expect(await Promise.all([reserve(one, 1), reserve(one, 1), reserve(one, 1)])).toEqual([true, true, true]);
  expect(await reserve({ ...one, ...attempt(2) }, 1)).toBe(true);
  expect(await reserve(video(), 1)).toBe(false);
  expect(await spending()).toMatchObject({ reserved: 1 });
});

test('counts everything and rejects nothing without a limit', async () => {
  const { video, spending } = spender(1000);
  for (let count = 0; count < 3; count++) expect(await reserve(video())).toBe(true);
  expect(await spending()).toMatchObject({ reserved: 3000 });
});

describe('settling a video counts', () => {
  const free = { spent: 0, reserved: 0, videos: 0, models: [] };
  const cost = (spent: number) => ({
    ...free,
    spent,
    videos: 1,
    models: [{ model: 'wan2.2-i2v-plus', videos: 1, spent }],
  });
  test.each<[string, Partial<VideoRecord>, object]>([
    ['its cost after success', { status: 'succeeded', cost: price(0.2), usage: { duration: 7 } }, cost(0.2)],
    ['what Wan bills while it is archiving', { status: 'archiving', usage: { duration: 10 } }, cost(0.2)],
    ['its estimate when Wan does not report usage', { status: 'archiving' }, cost(0.1)],
    [
      'its estimate after a failure that Wan may have billed',
      { status: 'failed', error: explainEnding('submission_uncertain') },
      cost(0.1),
    ],
    ['nothing after another failure', { status: 'failed', error: explainEnding('content_refused') }, free],
    ['nothing after cancellation', { status: 'canceled' }, free],
    ['nothing after a return to the queue', { status: 'queued' }, free],
  ])('%s, once', async (_, given, expected) => {
    const { video, spending } = spender(0.1);
    const one = video();
    await reserve(one);
    await Promise.all(Array.from({ length: 5 }, () => settle({ ...one, ...given })));
    await settle({ ...one, ...given });
    expect(await spending()).toEqual(expected);
  });
});

test.each(['submitting', 'running'] as const)('keeps the reservation of a %s video', async (status) => {
  const { video, spending } = spender(0.1);
  const one = video();
  await reserve(one);
  await settle({ ...one, status });
  expect(await spending()).toMatchObject({ reserved: 0.1 });
});

test('counts a video that is paid for again twice', async () => {
  const { video, spending } = spender(0.1);
  const lost = video({ error: explainEnding('video_lost') });
  await reserve(lost, 0.2);
  await settle({ ...lost, status: 'failed' });
  expect(await reserve({ ...lost, run: 2 }, 0.15)).toBe(false);
  expect(await reserve({ ...lost, run: 2 }, 0.2)).toBe(true);
  await settle({ ...lost, run: 2, status: 'succeeded', cost: price(0.1) });
  expect(await spending()).toMatchObject({ spent: 0.2, reserved: 0, videos: 2 });
});

test('a late settlement of an earlier attempt does not touch the reservation of a later one', async () => {
  const { video, spending } = spender(0.1);
  const first = video({ status: 'failed', error: explainEnding('content_refused') });
  await reserve(first);
  await settle(first);
  await reserve({ ...first, status: 'submitting', ...attempt(2) });
  await settle(first);
  expect(await spending()).toMatchObject({ reserved: 0.1 });
  // An attempt takes over the reservation of the previous one.
  await reserve({ ...first, status: 'submitting', ...attempt(3) });
  await settle({ ...first, ...attempt(2) });
  await releaseSpending(store.table, { ...first, ...attempt(2) });
  expect(await spending()).toMatchObject({ reserved: 0.1 });
});

test('releases the reservation of an attempt that is not sent, and never counts it for a later one', async () => {
  const { video, spending } = spender(0.1);
  const late = video(attempt(1));
  const made = video({ ...late, ...attempt(2), status: 'succeeded', cost: price(0.1) });
  await reserve({ ...made, status: 'submitting' });
  expect(await reserve(late)).toBe(false);
  await settle(made);
  // The earlier attempt reserves after the later one was settled, and crashes: settling again counts nothing for it.
  await reserve(late);
  await settle(made);
  expect(await spending()).toMatchObject({ spent: 0.1, reserved: 0, videos: 1 });
  await reserve(late);
  await releaseSpending(store.table, late);
  expect(await spending()).toMatchObject({ spent: 0.1, reserved: 0, videos: 1 });
});

test('reserves although the previous attempt releases its reservation concurrently', async () => {
  const { video, spending } = spender(1);
  const one = video(attempt(1));
  await reserve(one, 1);
  let interrupted = false;
  const send = async (command: { constructor: { name: string } }) => {
    const answer = await store.table.client.send(command as never);
    // Between reading the month and taking over the reservation.
    if (command.constructor.name === 'GetCommand' && !interrupted) {
      interrupted = true;
      await settle({ ...one, status: 'queued' });
    }
    return answer;
  };
  const table = { ...store.table, client: { send } as never };
  expect(await reserveSpending(table, { ...one, ...attempt(2) }, 1)).toBe(true);
  expect(interrupted).toBe(true);
  expect(await spending()).toMatchObject({ reserved: 1 });
});

test('counts nothing for a settlement without a reservation', async () => {
  const { video, spending } = spender(0.1);
  await settle(video({ status: 'succeeded', cost: price(0.1) }));
  expect(await spending()).toEqual({ spent: 0, reserved: 0, videos: 0, models: [] });
});

test('sums tenths exactly, without floating-point errors', async () => {
  const { video, spending } = spender(0.1);
  for (let count = 0; count < 10; count++) {
    const one = video({ model: count % 2 ? 'wan2.6-i2v' : 'wan2.2-i2v-flash' });
    expect(await reserve(one, 1)).toBe(true);
    await settle({ ...one, status: 'succeeded', cost: price(0.1) });
  }
  expect(await reserve(video({ estimated_cost: price(0.000_001) }), 1)).toBe(false);
  expect(await spending()).toEqual({
    spent: 1,
    reserved: 0,
    videos: 10,
    models: [
      { model: 'wan2.2-i2v-flash', videos: 5, spent: 0.5 },
      { model: 'wan2.6-i2v', videos: 5, spent: 0.5 },
    ],
  });
});

test('keeps owners and months separate', async () => {
  const { video } = spender(1);
  expect(await reserve(video(), 1)).toBe(true);
  expect(await reserve(video({ spending_month: '2026-02' }), 1)).toBe(true);
  expect(await reserve(spender(1).video(), 1)).toBe(true);
  expect(await reserve(video(), 1)).toBe(false);
});

test('allows a video with an unknown price and counts it after success', async () => {
  const { video, spending } = spender();
  const { estimated_cost, ...one } = video();
  expect(await reserve(one, 1)).toBe(true);
  await settle({ ...one, status: 'succeeded' });
  expect(await spending()).toMatchObject({ spent: 0, reserved: 0, videos: 1 });
});

test.each([
  [0.7, 0.2, undefined, true],
  [0.7, 0.2, 1, true],
  [0.8, 0.2, 1, false],
  [0.9, 0, 1, true],
  [0.95, 0, 1, false],
])('with %f spent and %f reserved of a limit of %s, 0.1 fits: %s', (spent, reserved, limit, expected) => {
  expect(isWithinLimit({ spent, reserved, videos: 0, models: [] }, price(0.1), limit)).toBe(expected);
});
