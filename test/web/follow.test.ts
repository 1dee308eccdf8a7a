import { beforeEach, describe, expect, test } from 'vitest';
import { createFollower } from '../../web/follow.ts';

let now: number;
let timers: { at: number; callback: () => void }[];
let asked: string[];
/** What each video answers when it is asked for, in seconds; undefined ends it. */
let answers: Record<string, (number | undefined)[]>;
/** Runs before an answer is given. */
let meanwhile: () => void;
let follower: ReturnType<typeof createFollower>;

beforeEach(() => {
  now = 0;
  timers = [];
  asked = [];
  answers = {};
  meanwhile = () => undefined;
  follower = createFollower({
    ask: async (id) => {
      asked.push(`${id}@${now / 1000}`);
      meanwhile();
      return answers[id]?.shift();
    },
    now: () => now,
    timer(callback, milliseconds) {
      const timer = { at: now + milliseconds, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  });
});

/** Turns the clock. */
async function pass(seconds: number): Promise<void> {
  const end = now + seconds * 1000;
  for (;;) {
    const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
    if (!next) break;
    timers = timers.filter((timer) => timer !== next);
    now = Math.max(now, next.at);
    next.callback();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
  now = end;
}

describe('what is under way', () => {
  test('is asked for when its answer said so, and no more once it has ended', async () => {
    answers = { cat: [3, 10, undefined] };
    follower.follow('cat', 1);
    await pass(100);
    expect(asked).toEqual(['cat@1', 'cat@4', 'cat@14']);
    expect(timers).toEqual([]);
  });

  test('is asked for each at its own time', async () => {
    answers = { cat: [10, undefined], dog: [4, 4, undefined] };
    follower.follow('cat', 1);
    follower.follow('dog', 2);
    await pass(100);
    expect(asked).toEqual(['cat@1', 'dog@2', 'dog@6', 'dog@10', 'cat@11']);
  });

  test('waits while nobody looks; what came due is asked for once afterwards', async () => {
    answers = { cat: [5, undefined] };
    follower.follow('cat', 5);
    await pass(1);
    follower.pause();
    await pass(60);
    expect(asked).toEqual([]);
    follower.resume();
    await pass(60);
    expect(asked).toEqual(['cat@61', 'cat@66']);
  });

  test('waits too when nobody looks any more while an answer is on its way', async () => {
    answers = { cat: [1, 1, 1] };
    meanwhile = () => follower.pause();
    follower.follow('cat', 1);
    await pass(60);
    expect(asked).toEqual(['cat@1']);
  });

  test('waits too behind one whose answer is on its way just then', async () => {
    answers = { cat: [1], dog: [1] };
    meanwhile = () => follower.pause();
    follower.follow('cat', 1);
    follower.follow('dog', 1);
    await pass(60);
    expect(asked).toEqual(['cat@1']);
  });

  test('is forgotten when told to, even while an answer is on its way', async () => {
    answers = { cat: [1, 1, 1] };
    meanwhile = () => follower.clear();
    follower.follow('cat', 1);
    await pass(60);
    expect(asked).toEqual(['cat@1']);
    expect(timers).toEqual([]);
  });
});
