import { describe, expect, test } from 'vitest';
import { type Company, isLate, isPastDeadline, nextCheck } from '../../../functions/polling/check-schedule.ts';
import type { DurationEstimate } from '../../../functions/polling/duration-estimate.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const submitted = Date.parse('2026-01-01T00:00:00.250Z');
const submit_time = new Date(submitted).toISOString();
const expires_at = new Date(submitted + 24 * 3600_000).toISOString();

/** Durations around a middle; `span` is how many times longer one in twenty takes, and how many times shorter at least one. */
const estimate = (typical_seconds: number, span: number): DurationEstimate => ({
  typical_seconds,
  earliest_seconds: typical_seconds / span,
  latest_seconds: typical_seconds * span,
  steepness: Math.log(19) / Math.log(span),
  count: 9,
});

/** Times of all checks of a task that never ends, in seconds after its submit. */
function checksOf(expected: DurationEstimate, company: Company, until: number, random = () => 0.5): number[] {
  const checks: number[] = [];
  let now = submitted;
  while ((now - submitted) / 1000 < until) {
    now = Date.parse(nextCheck({ submit_time, expires_at }, expected, { now, company, random }));
    checks.push((now - submitted) / 1000);
  }
  return checks;
}
const gapsOf = (checks: readonly number[]) => checks.slice(1).map((at, index) => at - checks[index]!);

describe.each([
  ['1 s, always', estimate(1, 1.5)],
  ['6 s, broad', estimate(6, 3.4)],
  ['120 s, narrow', estimate(120, 1.2)],
  ['205 s, broad', estimate(205, 3.4)],
] as const)('a task that takes %s', (_, expected) => {
  describe.each(['none', 'few', 'many'] as const)('in the company of %s', (company) => {
    const checks = checksOf(expected, company, 24 * 3600);

    test('is left alone until the first of its kind would be done', () => {
      expect(checks[0]).toBeGreaterThanOrEqual(expected.earliest_seconds);
      expect(checks[0]).toBeLessThan(expected.earliest_seconds + 1.001);
    });

    test('is looked at every few seconds around its usual time', () => {
      const close = gapsOf(checks.filter((at) => at > expected.earliest_seconds && at < expected.typical_seconds));
      expect(Math.max(0, ...close)).toBeLessThanOrEqual(company === 'none' ? 4 : 8);
    });

    test('costs fewer than 400 checks in 24 hours, at most a quarter of an hour apart', () => {
      expect(checks.length).toBeLessThan(400);
      expect(Math.max(...gapsOf(checks))).toBeLessThanOrEqual(900);
    });

    test('is looked at less and less often once it takes longer than nearly all', () => {
      const late = checks.filter((at) => at > expected.latest_seconds * 1.2 && at > 60 && at < 5000);
      const gaps = gapsOf(late);
      expect(gaps.length).toBeGreaterThan(5);
      // The checks of a few fall on common seconds, so they may come twice as often.
      const share = company === 'few' ? 44 : 22;
      for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(Math.floor(late[index]! / share));
    });
  });
});

test('checks are closer where an end is likelier', () => {
  const narrow = gapsOf(checksOf(estimate(300, 1.1), 'none', 330)).slice(3, 15);
  const broad = gapsOf(checksOf(estimate(300, 3.4), 'none', 900)).slice(70, 82);
  expect(Math.max(...narrow)).toBeLessThan(Math.min(...broad));
});

test('a task that is watched alone costs less and less once half of its kind are done, by how likely it is to end', () => {
  const gapAt = (expected: DurationEstimate, age: number) =>
    gapsOf(checksOf(expected, 'none', age + 200).filter((at) => at >= age))[0]!;
  expect(gapAt(estimate(180, 3.4), 175)).toBeLessThanOrEqual(4);
  expect(gapAt(estimate(180, 3.4), 400)).toBeGreaterThan(15);
  expect(gapAt(estimate(180, 1.1), 190)).toBeLessThanOrEqual(2);
});

test('chance spreads the checks of tasks that began together, but for a few that share a look: those fall on the same seconds', () => {
  const expected = estimate(205, 3.4);
  const alike = (company: Company) => {
    const all = [1, 2, 3, 4].map((seed) => new Set(checksOf(expected, company, 400, seededRandom(seed)).slice(30)));
    return [...all[0]!].filter((at) => all.every((other) => other.has(at))).length / all[0]!.size;
  };
  expect(alike('few')).toBe(1);
  expect(alike('many')).toBeLessThan(0.5);
});

test('a check is at a whole second that lies ahead', () => {
  for (const company of ['none', 'few', 'many'] as const) {
    for (let age = 0; age < 20; age += 0.37) {
      const now = submitted + age * 1000;
      const at = nextCheck({ submit_time }, estimate(4, 2), { now, company, random: () => 0 });
      expect(Date.parse(at) % 1000).toBe(0);
      expect(Date.parse(at)).toBeGreaterThan(now);
    }
  }
});

test('a task that was submitted this very moment is looked at in a moment, though it may be done at once', () => {
  const done = { ...estimate(1, 2), earliest_seconds: 0 };
  const at = nextCheck({ submit_time, expires_at }, done, { now: submitted, company: 'few', random: () => 0 });
  expect(Date.parse(at) - submitted).toBeLessThanOrEqual(2000);
});

test('the last check comes when the task is given up, ten minutes after Wan should have forgotten it', () => {
  const checks = checksOf(estimate(205, 3.4), 'none', 24 * 3600 + 600);
  const last = submitted + checks.at(-1)! * 1000;
  expect(isPastDeadline({ expires_at }, last)).toBe(true);
  expect(isPastDeadline({ expires_at }, last - 1500)).toBe(false);
});

test('a task is late when it takes four times as long as nearly all of its kind', () => {
  expect(isLate({ submit_time }, estimate(100, 2), submitted + 799_000)).toBe(false);
  expect(isLate({ submit_time }, estimate(100, 2), submitted + 801_000)).toBe(true);
});
