import { describe, expect, test } from 'vitest';
import { consoleSettings } from '../../functions/api/pages/console.ts';
import { statuses } from '../../functions/video/record.ts';
import type { VideoView } from '../../web/api.ts';
import {
  modelInWords,
  placeInWords,
  priceInWords,
  progressNow,
  remainingInWords,
  statusWords,
  waitInWords,
} from '../../web/words.ts';

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

describe('a place in the queue', () => {
  const waiting = (queue_position: number, estimated_start_at?: string) =>
    placeInWords({ queue_position, ...(estimated_start_at ? { estimated_start_at } : {}) }, 0);

  test.each([
    [1, 'next in the queue'],
    [2, '2nd in the queue'],
    [3, '3rd in the queue'],
    [11, '11th in the queue'],
    [112, '112th in the queue'],
    [23, '23rd in the queue'],
  ])('%i is the %s', (position, words) => expect(waiting(position)).toBe(words));

  test('comes with the time of the start, and with the day where that is far off', () => {
    const at = new Date(2026, 0, 31, 14, 5);
    const words = (now: Date) => placeInWords({ queue_position: 3, estimated_start_at: at.toISOString() }, +now);
    expect(words(new Date(2026, 0, 31, 13, 0))).toBe('3rd in the queue, starts about 14:05');
    expect(words(new Date(2026, 0, 31, 14, 4, 30))).toBe('3rd in the queue, starts in a moment');
    expect(words(new Date(2026, 0, 31, 14, 7))).toBe('3rd in the queue, starts in a moment');
    expect(words(new Date(2026, 0, 30, 14, 5))).toBe('3rd in the queue, starts 31 Jan, 14:05');
  });

  test('is told of a video that waits, and of no other', () => {
    const view = (status: string) => ({ status, queue_position: 2, estimated_finish_at: finish }) as VideoView;
    expect(waitInWords(view('queued'), 0)).toBe('2nd in the queue');
    expect(waitInWords(view('running'), 0)).toBe('about 2 min left');
    expect(waitInWords(view('failed'), 0)).toBeUndefined();
  });
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
