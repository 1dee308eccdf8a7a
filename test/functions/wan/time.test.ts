import { describe, expect, test } from 'vitest';
import { compactTime, compactWanTime, isoToWanTime, wanTimeToIso } from '../../../functions/wan/time.ts';

describe("Wan's times", () => {
  test.each([
    ['2025-09-25 11:07:28.590', '2025-09-25T03:07:28.590Z'],
    ['2026-01-01 07:59:59.999', '2025-12-31T23:59:59.999Z'],
    ['2024-02-29 12:00:00', '2024-02-29T04:00:00.000Z'],
    ['2025-09-25 11:07:28.5', '2025-09-25T03:07:28.500Z'],
  ])('converts %s (UTC+8) to %s', (wan, iso) => {
    expect(wanTimeToIso(wan)).toBe(iso);
  });

  test.each([
    '',
    'yesterday',
    '2025-02-30 10:00:00.000',
    '2025-13-01 10:00:00',
    '2025-01-01',
    '2025-01-01 25:00:00',
    '1757000000',
  ])('rejects "%s"', (text) => {
    expect(wanTimeToIso(text)).toBeUndefined();
  });

  test('convert in both directions without a change', () => {
    for (let at = 1.6e12; at < 1.9e12; at += 7.123e9) {
      const iso = new Date(Math.round(at)).toISOString();
      expect(wanTimeToIso(isoToWanTime(iso))).toBe(iso);
    }
  });

  test('are digits only in a query', () => {
    const at = Date.parse('2025-12-31T20:01:02.999Z');
    expect([compactTime(at), compactWanTime(at)]).toEqual(['20251231200102', '20260101040102']);
  });
});
