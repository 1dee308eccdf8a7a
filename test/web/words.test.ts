import { describe, expect, test } from 'vitest';
import { consoleSettings } from '../../functions/api/console-settings.ts';
import { statuses } from '../../functions/video/record.ts';
import type { VideoView } from '../../web/api.ts';
import { modelInWords, priceInWords, progressNow, remainingInWords, statusWords } from '../../web/words.ts';

const settings = consoleSettings('singapore');
const model = (name: string) => settings.models.find((offered) => offered.name === name)!;

describe('a price', () => {
  test.each([
    ['wan2.2-i2v-flash', '480P', 5, '$0.075', '5 s × $0.015'],
    ['wan2.2-i2v-flash', '720P', 5, '$0.18', '5 s × $0.036'],
    ['wan2.6-i2v', '1080P', 15, '$2.25', '15 s × $0.15'],
  ] as const)('of %s, %s, %i s is %s', (name, resolution, seconds, price, arithmetic) => {
    const words = priceInWords(model(name), resolution, seconds);
    expect(words).toEqual({ price, note: expect.stringContaining(arithmetic) });
    expect(words.note).toContain('29 Dec 2025');
  });

  test('is in the currency of the region', () => {
    const beijing = consoleSettings('beijing');
    expect(priceInWords(beijing.models[0]!, '720P', 5).price).toMatch(/^CN¥/);
  });

  test('that is not known is no nought', () => {
    expect(priceInWords({ ...model('wan2.6-i2v'), prices: {} }, '720P', 5).price).toBe('Price unknown');
  });
});

test('a model says what sets it apart', () => {
  expect(modelInWords(model('wan2.6-i2v'))).toBe('With sound, up to 15 s, up to 1080P.');
  expect(modelInWords(model('wan2.2-i2v-flash'))).toBe('Silent, up to 5 s, up to 720P.');
});

test('every status has words', () => {
  expect(Object.keys(statusWords).sort()).toEqual([...statuses].sort());
});

const second = 1000;
const finish = new Date(100 * second).toISOString();

test.each([
  [0, 'about 2 min left'],
  [50, 'about 50 s left'],
  [92, 'a few seconds left'],
  [100, 'any moment now'],
  [119, 'any moment now'],
  [300, 'longer than usual'],
])('%i s into a video of 100 s it is %s', (passed, words) => {
  expect(remainingInWords(finish, passed * second)).toBe(words);
});

test('without an estimate nothing is promised', () => {
  expect(remainingInWords(undefined, 0)).toBe('');
});

describe('progress', () => {
  const running = (progress: number): VideoView =>
    ({
      progress,
      estimated_finish_at: finish,
      timeline: [{ status: 'running', at: new Date(0).toISOString() }],
    }) as unknown as VideoView;

  test('grows with time between two answers, and is never taken back', () => {
    expect(progressNow(running(10), 5 * second)).toBe(10);
    expect(progressNow(running(10), 50 * second)).toBe(50);
    expect(progressNow(running(80), 50 * second)).toBe(80);
  });

  test('is full only when the server says so', () => {
    expect(progressNow(running(10), 1000 * second)).toBe(95);
    expect(progressNow(running(100), 1000 * second)).toBe(100);
  });

  test('is what the server said where nothing is estimated', () => {
    expect(progressNow({ ...running(5), timeline: [] }, 50 * second)).toBe(5);
  });
});
