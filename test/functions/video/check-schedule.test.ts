import { describe, expect, test } from 'vitest';
import { nextCheck } from '../../../functions/video/check-schedule.ts';

const submitted = Date.parse('2026-01-01T00:00:00.250Z');

/** Times of all checks of a task that never ends, in seconds after its submit. */
function checksOf(typical_seconds: number, permits: number, until: number): number[] {
  const checks: number[] = [];
  let now = submitted;
  while ((now - submitted) / 1000 < until) {
    now = Date.parse(nextCheck({ submit_time: new Date(submitted).toISOString(), typical_seconds }, permits, now));
    checks.push((now - submitted) / 1000);
  }
  return checks;
}

describe.each([6, 100, 300])('a task that usually takes %i s', (typical) => {
  const checks = checksOf(typical, 30, 24 * 3600);
  const gaps = checks.map((at, index) => at - (checks[index - 1] ?? 0));

  test('is left alone until it could be done', () => {
    expect(checks[0]).toBeGreaterThanOrEqual(typical / 2);
    expect(checks[0]).toBeLessThan(typical / 2 + 1.001);
  });

  test('is noticed within six seconds around its usual time', () => {
    const close = gaps.filter((_, index) => index > 0 && checks[index]! < typical * 1.5);
    expect(close.length).toBeGreaterThan(0);
    expect(Math.max(...close)).toBeLessThanOrEqual(6);
  });

  test('costs fewer than 400 checks in 24 hours, at most five minutes apart', () => {
    expect(checks.length).toBeLessThan(400);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(301);
  });
});

test.each([1, 30, 300, 1000])('%i permits together ask at most 15 times a second', (permits) => {
  const checks = checksOf(100, permits, 300);
  const shortest = Math.min(...checks.slice(1).map((at, index) => at - checks[index]!));
  expect(permits / shortest).toBeLessThanOrEqual(15);
});

test('a check is at a whole second, never before the time it was meant for', () => {
  const at = nextCheck({ submit_time: new Date(submitted).toISOString(), typical_seconds: 7 }, 1, submitted);
  expect(at).toBe('2026-01-01T00:00:04.000Z');
});
