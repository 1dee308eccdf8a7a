import { describe, expect, test } from 'vitest';
import { consoleSettings } from '../../functions/api/pages/console.ts';
import { statuses } from '../../functions/video/record.ts';
import type { VideoView } from '../../web/api.ts';
import {
  currentProgress,
  describeModel,
  formatBytes,
  formatPosition,
  formatPrice,
  formatRemaining,
  formatWait,
  statusLabels,
} from '../../web/formatting.ts';
import { aDeployment, everyModel } from '../support/videos.ts';

const settings = consoleSettings(everyModel);
const model = (name: string) => settings.models.find((offered) => offered.name === name)!;

describe('a price', () => {
  test.each([
    ['wan2.2-i2v-flash', '480P', 5, '$0.075', '5 s × $0.015'],
    ['wan2.2-i2v-flash', '720P', 5, '$0.18', '5 s × $0.036'],
    ['wan2.6-i2v', '1080P', 15, '$2.25', '15 s × $0.15'],
  ] as const)('of %s, %s, %i s is %s', (name, resolution, seconds, price, arithmetic) => {
    const shown = formatPrice(model(name), resolution, seconds);
    expect(shown).toEqual({ price, note: expect.stringContaining(arithmetic) });
    expect(shown.note).toContain('29 Dec 2025');
  });

  test('of the deployment has no day', () => {
    expect(formatPrice(model('wan2.6-i2v-flash'), '720P', 5).note).toBe(
      '5 s × $0.05. Wan bills successful videos only.',
    );
  });

  test('is in the currency of the region', () => {
    const beijing = consoleSettings(aDeployment('beijing'));
    expect(formatPrice(beijing.models[0]!, '720P', 5).price).toMatch(/^CN¥/);
  });

  test('that is unknown is not zero', () => {
    expect(formatPrice({ ...model('wan2.6-i2v'), prices: {} }, '720P', 5).price).toBe('Price unknown');
  });
});

test('describes a model by audio, duration and resolution', () => {
  expect(describeModel(model('wan2.6-i2v'))).toBe('With audio, up to 15 s, up to 1080P.');
  expect(describeModel(model('wan2.2-i2v-flash'))).toBe('Silent, up to 5 s, up to 720P.');
});

test('has a label for every status', () => {
  expect(Object.keys(statusLabels).sort()).toEqual([...statuses].sort());
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
])('%i s into a video of 100 s shows %s', (passed, text) => {
  expect(formatRemaining(finish, passed * second)).toBe(text);
});

test('shows no remaining time without an estimate', () => {
  expect(formatRemaining(undefined, 0)).toBe('');
});

describe('a queue position', () => {
  const waiting = (queue_position: number, estimated_start_at?: string) =>
    formatPosition({ queue_position, ...(estimated_start_at ? { estimated_start_at } : {}) }, 0);

  test.each([
    [1, 'next'],
    [2, '2nd'],
    [3, '3rd'],
    [11, '11th'],
    [112, '112th'],
    [23, '23rd'],
  ])('%i is shown as %s', (position, text) => expect(waiting(position)).toBe(text));

  test('includes the start time, and its day where that is far away', () => {
    const at = new Date(2026, 0, 31, 14, 5);
    const shown = (now: Date) => formatPosition({ queue_position: 3, estimated_start_at: at.toISOString() }, +now);
    expect(shown(new Date(2026, 0, 31, 13, 0))).toBe('3rd, starts about 14:05');
    expect(shown(new Date(2026, 0, 31, 14, 4, 30))).toBe('3rd, starts in a moment');
    expect(shown(new Date(2026, 0, 31, 14, 7))).toBe('3rd, starts in a moment');
    expect(shown(new Date(2026, 0, 30, 14, 5))).toBe('3rd, starts 31 Jan, 14:05');
  });

  test('is shown for a queued video only', () => {
    const view = (status: string) => ({ status, queue_position: 2, estimated_finish_at: finish }) as VideoView;
    expect(formatWait(view('queued'), 0)).toBe('2nd');
    expect(formatWait(view('running'), 0)).toBe('about 2 min left');
    expect(formatWait(view('failed'), 0)).toBeUndefined();
  });
});

describe('progress', () => {
  const running = (progress: number): VideoView =>
    ({
      progress,
      estimated_finish_at: finish,
      timeline: [{ status: 'running', at: new Date(0).toISOString() }],
    }) as unknown as VideoView;

  test('grows between two responses, and never shrinks', () => {
    expect(currentProgress(running(10), 5 * second)).toBe(10);
    expect(currentProgress(running(10), 50 * second)).toBe(50);
    expect(currentProgress(running(80), 50 * second)).toBe(80);
  });

  test('is 100 only when the server reports it', () => {
    expect(currentProgress(running(10), 1000 * second)).toBe(95);
    expect(currentProgress(running(100), 1000 * second)).toBe(100);
  });

  test('is the server’s value without an estimate', () => {
    expect(currentProgress({ ...running(5), timeline: [] }, 50 * second)).toBe(5);
  });
});

test.each([
  [1, '1 KB'],
  [812_400, '812 KB'],
  [4_194_304, '4.2 MB'],
])('shows %i bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
