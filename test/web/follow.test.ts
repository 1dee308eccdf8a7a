import { beforeEach, describe, expect, test } from 'vitest';
import { createFollower, type Next } from '../../web/follow.ts';

let now: number;
let timers: { at: number; callback: () => void }[];
/** What was asked, and when: `id@seconds`. */
let asked: string[];
let waits: number[];
/** The questions that are not answered yet. */
let open: { id: string; signal: AbortSignal; answer: (next: Next) => void }[];
/** Answers a question of its own accord; undefined leaves it open. */
let answerTo: (id: string) => Next | undefined;
let follower: ReturnType<typeof createFollower>;

const ended: Next = { kind: 'ended' };
const again = (inSeconds: number): Next => ({ kind: 'again', inSeconds });
const hold = (inSeconds: number): Next => ({ kind: 'hold', inSeconds });

beforeEach(() => {
  now = 0;
  timers = [];
  asked = [];
  waits = [];
  open = [];
  answerTo = () => undefined;
  follower = createFollower({
    ask(id, { wait, signal }) {
      asked.push(`${id}@${now / 1000}`);
      waits.push(wait);
      const given = answerTo(id);
      if (given) return Promise.resolve(given);
      return new Promise((answer) => open.push({ id, signal, answer }));
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

const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** Turns the clock. */
async function pass(seconds: number): Promise<void> {
  const end = now + seconds * 1000;
  for (;;) {
    await settle();
    const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
    if (!next) break;
    timers = timers.filter((timer) => timer !== next);
    now = Math.max(now, next.at);
    next.callback();
  }
  now = end;
}

async function answer(id: string, next: Next): Promise<void> {
  const index = open.findIndex((question) => question.id === id);
  open.splice(index, 1)[0]!.answer(next);
  await settle();
}

/** From a list, one answer after the other. */
const inTurn =
  (answers: Record<string, Next[]>) =>
  (id: string): Next =>
    answers[id]?.shift() ?? ended;

describe('what is under way', () => {
  test('is asked for when its answer said so, and no more once it has ended', async () => {
    answerTo = inTurn({ cat: [again(3), again(10)] });
    follower.follow('cat', 1);
    await pass(100);
    expect(asked).toEqual(['cat@1', 'cat@4', 'cat@14']);
    expect(timers).toEqual([]);
  });

  test('is asked for each at its own time', async () => {
    answerTo = inTurn({ cat: [again(10)], dog: [again(4), again(4)] });
    follower.follow('cat', 1);
    follower.follow('dog', 2);
    await pass(100);
    expect(asked).toEqual(['cat@1', 'dog@2', 'dog@6', 'dog@10', 'cat@11']);
  });

  test('is asked for once at a time', async () => {
    follower.follow('cat', 1);
    await pass(1);
    follower.follow('cat', 1);
    await pass(100);
    expect(asked).toEqual(['cat@1']);
    await answer('cat', ended);
    await pass(1);
    expect(asked).toHaveLength(2);
  });

  test('leaves connections free: three questions are open at most, and the next is asked when one is answered', async () => {
    for (const id of ['one', 'two', 'three', 'four', 'five']) follower.follow(id, 0);
    await pass(60);
    expect(asked).toEqual(['one@0', 'two@0', 'three@0']);
    await answer('two', again(1));
    expect(asked.at(-1)).toBe('four@60');
    await answer('one', again(1));
    expect(asked.at(-1)).toBe('five@60');
    expect(open).toHaveLength(3);
  });

  test('has its turn about every 20 s, however many there are', async () => {
    answerTo = () => again(1);
    follower.follow('one', 0);
    await settle();
    expect(waits).toEqual([20]);
    for (let count = 2; count <= 6; count += 1) follower.follow(String(count), 0);
    await settle();
    expect(waits.at(-1)).toBe(10);
    for (let count = 7; count <= 200; count += 1) follower.follow(String(count), 0);
    await settle();
    expect(waits.at(-1)).toBe(1);
  });

  test('takes turns: none is passed over', async () => {
    answerTo = () => again(0.5);
    for (const id of ['one', 'two', 'three', 'four', 'five']) follower.follow(id, 0);
    await pass(3);
    for (const id of ['one', 'two', 'three', 'four', 'five'])
      expect(asked.filter((each) => each.startsWith(`${id}@`)).length).toBeGreaterThanOrEqual(6);
  });
});

describe('a server that has enough', () => {
  test('is asked nothing until it wants to be, about no video', async () => {
    const answers: Record<string, Next[]> = { cat: [hold(30), again(5)], dog: [again(2)] };
    answerTo = inTurn(answers);
    follower.follow('cat', 1);
    follower.follow('dog', 2);
    await pass(30.9);
    expect(asked).toEqual(['cat@1']);
    await pass(0.1);
    expect(asked.slice(1).sort()).toEqual(['cat@31', 'dog@31']);
  });
});

describe('while nobody looks', () => {
  test('nothing is asked; what came due is asked for once afterwards', async () => {
    answerTo = inTurn({ cat: [again(5)] });
    follower.follow('cat', 5);
    await pass(1);
    follower.pause();
    await pass(60);
    expect(asked).toEqual([]);
    follower.resume();
    await pass(60);
    expect(asked).toEqual(['cat@61', 'cat@66']);
  });

  test('open questions are taken back, and asked again afterwards', async () => {
    follower.follow('cat', 0);
    await pass(1);
    const [question] = open;
    follower.pause();
    expect(question!.signal.aborted).toBe(true);
    await answer('cat', ended);
    await pass(60);
    expect(asked).toEqual(['cat@0']);
    follower.resume();
    expect(asked).toEqual(['cat@0', 'cat@61']);
  });
});

test('one that is forgotten is asked for no more, its open question is taken back, and others go on', async () => {
  for (const id of ['cat', 'dog']) follower.follow(id, 0);
  await pass(1);
  const [cat, dog] = open;
  follower.forget('cat');
  expect([cat!.signal.aborted, dog!.signal.aborted]).toEqual([true, false]);
  await answer('cat', again(1));
  await answer('dog', again(1));
  await pass(5);
  expect(asked).toEqual(['cat@0', 'dog@0', 'dog@2']);
});

test('what is forgotten is asked for no more, even if its answer is on its way', async () => {
  follower.follow('cat', 0);
  await pass(1);
  const [question] = open;
  follower.clear();
  expect(question!.signal.aborted).toBe(true);
  await answer('cat', again(1));
  await pass(60);
  expect(asked).toEqual(['cat@0']);
  expect(timers).toEqual([]);
});
