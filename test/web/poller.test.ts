import { beforeEach, describe, expect, test } from 'vitest';
import { createPoller, type NextPoll } from '../../web/poller.ts';

let now: number;
let timers: { at: number; callback: () => void }[];
/** Requests as `id@seconds`. */
let polled: string[];
let waits: number[];
/** Requests without a response yet. */
let open: { id: string; signal: AbortSignal; respond: (next: NextPoll) => void }[];
/** The immediate response to a request; undefined leaves it open. */
let responseTo: (id: string) => NextPoll | undefined;
let poller: ReturnType<typeof createPoller>;

const ended: NextPoll = { kind: 'ended' };
const again = (inSeconds: number): NextPoll => ({ kind: 'again', inSeconds });
const pause = (inSeconds: number): NextPoll => ({ kind: 'pause', inSeconds });

beforeEach(() => {
  now = 0;
  timers = [];
  polled = [];
  waits = [];
  open = [];
  responseTo = () => undefined;
  poller = createPoller({
    poll(id, { wait, signal }) {
      polled.push(`${id}@${now / 1000}`);
      waits.push(wait);
      const next = responseTo(id);
      if (next) return Promise.resolve(next);
      return new Promise((respond) => open.push({ id, signal, respond }));
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
  for (let tick = 0; tick < 20; tick += 1) await Promise.resolve();
};

/** Advances the clock. */
async function advance(seconds: number): Promise<void> {
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

async function respond(id: string, next: NextPoll): Promise<void> {
  const index = open.findIndex((request) => request.id === id);
  open.splice(index, 1)[0]!.respond(next);
  await settle();
}

/** The listed responses in order, then `ended`. */
const inOrder =
  (responses: Record<string, NextPoll[]>) =>
  (id: string): NextPoll =>
    responses[id]?.shift() ?? ended;

describe('a video that has not ended', () => {
  test('is polled after the delay of the last response, until it has ended', async () => {
    responseTo = inOrder({ cat: [again(3), again(10)] });
    poller.add('cat', 1);
    await advance(100);
    expect(polled).toEqual(['cat@1', 'cat@4', 'cat@14']);
    expect(timers).toEqual([]);
  });

  test('is polled at its own times', async () => {
    responseTo = inOrder({ cat: [again(10)], dog: [again(4), again(4)] });
    poller.add('cat', 1);
    poller.add('dog', 2);
    await advance(100);
    expect(polled).toEqual(['cat@1', 'dog@2', 'dog@6', 'dog@10', 'cat@11']);
  });

  test('has one open request at a time', async () => {
    poller.add('cat', 1);
    await advance(1);
    poller.add('cat', 1);
    await advance(100);
    expect(polled).toEqual(['cat@1']);
    await respond('cat', ended);
    await advance(1);
    expect(polled).toHaveLength(2);
  });

  test('leaves connections free: at most three requests are open, and the next follows a response', async () => {
    for (const id of ['one', 'two', 'three', 'four', 'five']) poller.add(id, 0);
    await advance(60);
    expect(polled).toEqual(['one@0', 'two@0', 'three@0']);
    await respond('two', again(1));
    expect(polled.at(-1)).toBe('four@60');
    await respond('one', again(1));
    expect(polled.at(-1)).toBe('five@60');
    expect(open).toHaveLength(3);
  });

  test('is polled about every 20 s, however many there are', async () => {
    responseTo = () => again(1);
    poller.add('one', 0);
    await settle();
    expect(waits).toEqual([20]);
    for (let count = 2; count <= 6; count += 1) poller.add(String(count), 0);
    await settle();
    expect(waits.at(-1)).toBe(10);
    for (let count = 7; count <= 200; count += 1) poller.add(String(count), 0);
    await settle();
    expect(waits.at(-1)).toBe(1);
  });

  test('is polled as often as every other one', async () => {
    responseTo = () => again(0.5);
    for (const id of ['one', 'two', 'three', 'four', 'five']) poller.add(id, 0);
    await advance(3);
    for (const id of ['one', 'two', 'three', 'four', 'five'])
      expect(polled.filter((each) => each.startsWith(`${id}@`)).length).toBeGreaterThanOrEqual(6);
  });
});

describe('a server that asks for a pause', () => {
  test('gets no request about any video until then', async () => {
    const responses: Record<string, NextPoll[]> = { cat: [pause(30), again(5)], dog: [again(2)] };
    responseTo = inOrder(responses);
    poller.add('cat', 1);
    poller.add('dog', 2);
    await advance(30.9);
    expect(polled).toEqual(['cat@1']);
    await advance(0.1);
    expect(polled.slice(1).sort()).toEqual(['cat@31', 'dog@31']);
  });
});

describe('while the page is hidden', () => {
  test('sends no request, and one for each due video afterwards', async () => {
    responseTo = inOrder({ cat: [again(5)] });
    poller.add('cat', 5);
    await advance(1);
    poller.pause();
    await advance(60);
    expect(polled).toEqual([]);
    poller.resume();
    await advance(60);
    expect(polled).toEqual(['cat@61', 'cat@66']);
  });

  test('aborts open requests, and repeats them afterwards', async () => {
    poller.add('cat', 0);
    await advance(1);
    const [request] = open;
    poller.pause();
    expect(request!.signal.aborted).toBe(true);
    await respond('cat', ended);
    await advance(60);
    expect(polled).toEqual(['cat@0']);
    poller.resume();
    expect(polled).toEqual(['cat@0', 'cat@61']);
  });
});

test('polls a removed video no more, aborts its open request, and continues with others', async () => {
  for (const id of ['cat', 'dog']) poller.add(id, 0);
  await advance(1);
  const [cat, dog] = open;
  poller.remove('cat');
  expect([cat!.signal.aborted, dog!.signal.aborted]).toEqual([true, false]);
  await respond('cat', again(1));
  await respond('dog', again(1));
  await advance(5);
  expect(polled).toEqual(['cat@0', 'dog@0', 'dog@2']);
});

test('polls nothing after clear, even if a response is on its way', async () => {
  poller.add('cat', 0);
  await advance(1);
  const [request] = open;
  poller.clear();
  expect(request!.signal.aborted).toBe(true);
  await respond('cat', again(1));
  await advance(60);
  expect(polled).toEqual(['cat@0']);
  expect(timers).toEqual([]);
});
