import { describe, expect, test } from 'vitest';
import { stateEtag, videoEtag } from '../../../functions/api/http/conditional-requests.ts';
import type { Status, Task } from '../../../functions/video/record.ts';
import { progressOf, viewOf } from '../../../functions/video/view.ts';
import { aTask, aVideo } from '../../support/videos.ts';

const submitted = Date.parse(aTask().submit_time);
const at = (seconds: number) => submitted + seconds * 1000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();
const running = (given: Partial<Task> = {}) => aVideo({ status: 'running', task: aTask(given) });
/** From an hour before the submission (a clock that is behind) to four hours after it. */
const times = [-3600, -1, 0, 0.5, 1, 3, 10, 30, 60, 90, 91, 99, 100, 101, 110, 200, 1000, 4 * 3600];

describe('the progress of a running video', () => {
  test.each([
    [0, 10],
    [25, 30],
    [50, 50],
    [100, 90],
    [300, 90],
  ])('after %d s of 100 s expected is %d %', (seconds, progress) => {
    expect(progressOf(running(), at(seconds)).progress).toBe(progress);
  });

  test.each([0.1, 6, 100, 10_800])(
    'never decreases, and stays between 10 and 90, with %d s expected',
    (expected_seconds) => {
      const seen = times.map((seconds) => progressOf(running({ expected_seconds }), at(seconds)).progress);
      expect(seen).toEqual(seen.toSorted((one, other) => one - other));
      expect([seen[0], seen.at(-1)]).toEqual([10, expected_seconds > 4 * 3600 ? seen.at(-1) : 90]);
      for (const each of seen) expect(Number.isInteger(each)).toBe(true);
    },
  );
});

test('progress never decreases between statuses, regardless of the clock', () => {
  const task = aTask();
  const life: [Status, Task | undefined][] = [
    ['queued', undefined],
    ['submitting', undefined],
    ['running', task],
    ['archiving', task],
    ['succeeded', task],
  ];
  for (const seconds of times) {
    const seen = life.map(([status, task]) => {
      const video = aVideo({ status, updated_at: iso(5), ...(task ? { task } : {}) });
      return progressOf(video, at(seconds)).progress;
    });
    expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    expect([seen[0], seen.at(-2), seen.at(-1)]).toEqual([0, 90, 100]);
  }
});

test.each(['failed', 'canceled'] as const)('a %s video keeps its progress', (status) => {
  const ended = aVideo({ status, updated_at: iso(50), task: aTask() });
  for (const seconds of times) expect(progressOf(ended, at(seconds))).toEqual({ progress: 50 });
  expect(progressOf(aVideo({ status }), at(50))).toEqual({ progress: 0 });
});

describe('the expected finish', () => {
  test('of a task on time is its submission plus the expected duration', () => {
    for (const seconds of [0, 10, 90]) expect(progressOf(running(), at(seconds)).estimated_finish_at).toBe(iso(100));
  });

  test.each([0.1, 6, 100])('is never in the past and never moves back, with %d s expected', (expected_seconds) => {
    const finishes = times.map((seconds) => {
      const finish = Date.parse(progressOf(running({ expected_seconds }), at(seconds)).estimated_finish_at!);
      expect(finish).toBeGreaterThanOrEqual(at(seconds));
      return finish;
    });
    expect(finishes).toEqual(finishes.toSorted((one, other) => one - other));
  });

  test('of an overdue task is a tenth of its age ahead', () => {
    expect(progressOf(running(), at(1000)).estimated_finish_at).toBe(iso(1100));
  });

  test.each(['queued', 'submitting', 'archiving', 'succeeded', 'failed', 'canceled'] as const)(
    'is absent from a %s video',
    (status) => {
      expect(progressOf(aVideo({ status, task: aTask() }), at(5))).not.toHaveProperty('estimated_finish_at');
    },
  );
});

describe('the ETag of a video', () => {
  test('does not depend on the clock', () => {
    const video = running();
    const tags = times.map((seconds) => videoEtag(viewOf(video, at(seconds))));
    expect(new Set(tags)).toEqual(new Set([stateEtag(video)]));
  });

  test.each<[string, Partial<Parameters<typeof aVideo>[0]>]>([
    ['its task', { task: aTask({ status: 'PENDING' }) }],
    ['its status', { status: 'archiving' }],
    ['its usage', { usage: { duration: 5 } }],
  ])('changes with %s', (_, change) => {
    const video = running();
    expect(stateEtag({ ...video, ...change })).not.toBe(stateEtag(video));
  });

  test('does not change with the expected duration, which is internal', () => {
    const video = running();
    expect(viewOf(video, at(0)).task).not.toHaveProperty('expected_seconds');
    expect(stateEtag({ ...video, task: aTask({ expected_seconds: 7 }) })).toBe(stateEtag(video));
  });
});
