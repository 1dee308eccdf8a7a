import { describe, expect, test } from 'vitest';
import { learnDuration, typicalSeconds, typicalSecondsOf } from '../../../functions/polling/durations.ts';
import type { Table } from '../../../functions/video/table.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { startTable } from '../../support/table.ts';

const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
const store = startTable(() => clock.now);

let kinds = 0;
/** A new combination of model, resolution and duration. */
const aKind = () => ({ model: `model-${++kinds}`, parameters: { resolution: '720P' as const, duration: 5 } });
/** The table with an empty cache, as another container has it. */
const anotherContainer = (): Table => ({
  ...store.table,
  client: { send: (command) => store.table.client.send(command) },
});
const learned = (kind: ReturnType<typeof aKind>) => typicalSecondsOf(anotherContainer(), kind, 100);
async function learnAll(kind: ReturnType<typeof aKind>, seconds: readonly number[]): Promise<void> {
  for (const each of seconds) await learnDuration(store.table, kind, each, 100);
}
const times = (count: number, seconds: number) => Array.from({ length: count }, () => seconds);
const unavailable: Table['client'] = { send: () => Promise.reject(new Error('DynamoDB is unavailable')) };

describe('before anything is learned', () => {
  const lasting = (duration: number, model = 'wan2.6-i2v') => ({ model, parameters: { duration } });

  test("the catalogue's duration applies: longer for a longer video", async () => {
    expect([5, 10, 15].map((seconds) => typicalSeconds(lasting(seconds)))).toEqual([100, 130, 160]);
    expect(await typicalSecondsOf(store.table, lasting(10))).toBe(130);
  });

  test('a model outside the catalogue takes 2 minutes', () => {
    expect(typicalSeconds(lasting(5, 'wan9'))).toBe(120);
  });

  test('the configured duration takes precedence', async () => {
    expect(typicalSeconds(lasting(5), 7)).toBe(7);
    expect(await typicalSecondsOf(store.table, aKind(), 7)).toBe(7);
  });
});

describe('the average', () => {
  test('starts at the default and moves by a tenth of the difference', async () => {
    const kind = aKind();
    await learnAll(kind, [200]);
    expect(await learned(kind)).toBeCloseTo(110, 3);
    await learnAll(kind, [10]);
    expect(await learned(kind)).toBeCloseTo(100, 3);
  });

  test('approaches the actual durations and follows a change', async () => {
    const [random, kind] = [seededRandom(7), aKind()];
    await learnAll(
      kind,
      times(60, 295).map((least) => least + 10 * random()),
    );
    expect(await learned(kind)).toBeGreaterThan(285);
    expect(await learned(kind)).toBeLessThan(305);
    await learnAll(kind, times(30, 60));
    expect(await learned(kind)).toBeLessThan(80);
  });

  test('is separate for each model, resolution and duration', async () => {
    const kind = aKind();
    await learnAll(kind, times(40, 300));
    const { parameters } = kind;
    expect(await learned({ ...kind, parameters: { ...parameters, duration: 10 } })).toBe(100);
    expect(await learned({ ...kind, parameters: { ...parameters, resolution: '1080P' as never } })).toBe(100);
    expect(await learned(aKind())).toBe(100);
  });

  test.each([0, -5, Number.NaN])('ignores durations that clock skew makes impossible: %d s', async (seconds) => {
    const kind = aKind();
    await learnAll(kind, [seconds]);
    expect(await learned(kind)).toBe(100);
  });

  test.each([
    [1e-9, 0.1],
    [86_400, 3 * 3600],
    [Number.POSITIVE_INFINITY, 3 * 3600],
  ])('clamps a duration of %d s to %d s', async (seconds, possible) => {
    const [kind, other] = [aKind(), aKind()];
    await learnAll(kind, [seconds]);
    await learnAll(other, [possible]);
    expect(await learned(kind)).toBe(await learned(other));
  });

  test('counts both of two tasks that end concurrently', async () => {
    const kind = aKind();
    await Promise.all([learnDuration(store.table, kind, 200, 100), learnDuration(anotherContainer(), kind, 200, 100)]);
    expect(await learned(kind)).toBeCloseTo(119, 3);
  });
});

describe('a container', () => {
  test('caches the average for a minute, and updates it with its own tasks immediately', async () => {
    const [kind, table] = [aKind(), anotherContainer()];
    expect(await typicalSecondsOf(table, kind, 100)).toBe(100);
    await learnAll(kind, [200]);
    expect(await typicalSecondsOf(table, kind, 100)).toBe(100);
    expect(await typicalSecondsOf(store.table, kind, 100)).toBeCloseTo(110, 3);
    clock.now += 60_000;
    expect(await typicalSecondsOf(table, kind, 100)).toBeCloseTo(110, 3);
  });

  test('uses the cached value while the table is unavailable', async () => {
    const [kind, client] = [aKind(), { ...anotherContainer().client }];
    await learnAll(kind, [200]);
    const table = { ...store.table, client };
    await typicalSecondsOf(table, kind, 100);
    client.send = unavailable.send;
    clock.now += 120_000;
    expect(await typicalSecondsOf(table, kind, 100)).toBeCloseTo(110, 3);
    expect(await typicalSecondsOf({ ...store.table, client: { ...unavailable } }, kind, 42)).toBe(42);
    await expect(learnDuration(table, kind, 42)).resolves.toBeUndefined();
  });
});
