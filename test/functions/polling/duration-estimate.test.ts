import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextCheck } from '../../../functions/polling/check-schedule.ts';
import { estimateOf, learnDuration } from '../../../functions/polling/duration-estimate.ts';
import type { Table } from '../../../functions/video/table.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { startTable } from '../../support/table.ts';

const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable(() => clock.now);
});
afterAll(() => store.close());

let kinds = 0;
/** A kind of video that nothing is known of yet. */
const aKind = () => ({ model: `model-${++kinds}`, parameters: { resolution: '720P' as const, duration: 5 } });
/** As another container sees the table: nothing remembered. */
const elsewhere = (): Table => ({ ...store.table, client: { send: (command) => store.table.client.send(command) } });
const learnAll = async (kind: ReturnType<typeof aKind>, seconds: readonly number[]) => {
  for (const each of seconds) await learnDuration(store.table, kind, each, 100);
};

test('before anything is learnt, it is what is configured, or the catalogue says, and broad enough for all published samples', async () => {
  expect(await estimateOf(store.table, aKind(), 200)).toMatchObject({ typical_seconds: expect.closeTo(200), count: 0 });
  const video = { model: 'wan2.2-i2v-plus', parameters: { resolution: '480P' as const, duration: 5 } };
  const { typical_seconds, earliest_seconds, latest_seconds } = await estimateOf(store.table, video);
  expect(typical_seconds).toBeCloseTo(100);
  expect(earliest_seconds).toBeLessThan(73);
  expect(latest_seconds).toBeGreaterThan(300);
});

test('tasks that take about the same make it narrow, and kinds do not mix', async () => {
  const random = seededRandom(7);
  const kind = aKind();
  await learnAll(
    kind,
    Array.from({ length: 60 }, () => 295 + 10 * random()),
  );
  const learnt = await estimateOf(elsewhere(), kind, 100);
  expect(learnt.count).toBe(60);
  expect(learnt.typical_seconds).toBeGreaterThan(285);
  expect(learnt.typical_seconds).toBeLessThan(315);
  expect(learnt.latest_seconds / learnt.earliest_seconds).toBeLessThan(1.8);
  const longer = { ...kind, parameters: { ...kind.parameters, duration: 10 } };
  expect(await estimateOf(elsewhere(), longer, 100)).toMatchObject({ typical_seconds: expect.closeTo(100), count: 0 });
});

test('published samples, again and again, stay within it', async () => {
  const kind = aKind();
  const samples = [92.5, 116, 73, 131, 582.8, 504];
  await learnAll(
    kind,
    Array.from({ length: 48 }, (_, index) => samples[(index * 5) % 6]!),
  );
  const { earliest_seconds, typical_seconds, latest_seconds } = await estimateOf(elsewhere(), kind);
  expect(earliest_seconds).toBeLessThan(73);
  expect(typical_seconds).toBeGreaterThan(110);
  expect(typical_seconds).toBeLessThan(330);
  expect(latest_seconds).toBeGreaterThan(500);
});

test('a task that stood in line for an hour does not ruin it', async () => {
  const kind = aKind();
  await learnAll(
    kind,
    Array.from({ length: 30 }, () => 100),
  );
  await learnAll(kind, [3700]);
  const { typical_seconds, latest_seconds } = await estimateOf(elsewhere(), kind);
  expect(typical_seconds).toBeLessThan(110);
  expect(latest_seconds).toBeLessThan(200);
});

test('what has changed for good is learnt all the same', async () => {
  const kind = aKind();
  const many = (seconds: number) => Array.from({ length: 60 }, () => seconds);
  await learnAll(kind, [...many(60), ...many(240)]);
  const { typical_seconds } = await estimateOf(elsewhere(), kind);
  expect(typical_seconds).toBeGreaterThan(200);
});

test('two that learn at once both count', async () => {
  const kind = aKind();
  await Promise.all([learnDuration(store.table, kind, 100, 100), learnDuration(elsewhere(), kind, 100, 100)]);
  expect((await estimateOf(elsewhere(), kind)).count).toBe(2);
});

test('a container remembers it for a minute', async () => {
  const kind = aKind();
  const table = elsewhere();
  expect((await estimateOf(table, kind, 100)).count).toBe(0);
  await learnAll(kind, [50]);
  expect((await estimateOf(table, kind, 100)).count).toBe(0);
  clock.now += 60_000;
  expect((await estimateOf(table, kind, 100)).count).toBe(1);
});

test('a table that fails neither fails it nor what is learnt', async () => {
  const table: Table = { ...store.table, client: { send: () => Promise.reject(new Error('throttled')) } };
  expect(await estimateOf(table, aKind(), 42)).toMatchObject({ typical_seconds: expect.closeTo(42) });
  await learnDuration(table, aKind(), 42);
});

test.each([0, -5, Number.NaN])('clocks that disagree teach nothing: %d s', async (seconds) => {
  const kind = aKind();
  await learnDuration(store.table, kind, seconds, 100);
  expect((await estimateOf(elsewhere(), kind, 100)).count).toBe(0);
});

test.each([
  ['a moment and a day, by turns', [0.001, 86_400]],
  ['a day', [86_400]],
  ['a moment', [1e-9]],
  ['no time at all, or what is no time', [0, -5, Number.NaN, Number.POSITIVE_INFINITY]],
])(
  'whatever is learnt, a task is checked less often in 24 hours than one execution has room for: %s',
  async (_, odd) => {
    const kind = aKind();
    await learnAll(
      kind,
      Array.from({ length: 60 }, (_, index) => odd[index % odd.length]!),
    );
    const learnt = await estimateOf(elsewhere(), kind, 100);
    // Wan gives no task longer than 3 hours.
    expect(learnt.typical_seconds).toBeLessThanOrEqual(3 * 3600);
    for (const company of ['none', 'few', 'many'] as const) {
      const submitted = clock.now;
      const task = {
        submit_time: new Date(submitted).toISOString(),
        expires_at: new Date(submitted + 86_400_000).toISOString(),
      };
      let checks = 0;
      for (let now = submitted; now < submitted + 86_400_000; checks++) {
        now = Date.parse(nextCheck(task, learnt, { now, company, random: () => 0 }));
      }
      // Nine events each, of 25,000.
      expect(checks).toBeLessThan(2700);
    }
  },
);
