import { setTimeout as realSleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../bench/simulation/clock.ts';

test('wakes sleepers in the order of their times', async () => {
  const clock = createVirtualClock(0);
  const woken: [number, number][] = [];
  for (const time of [50, 7, 300, 7, 0, 120]) void clock.sleep(time).then(() => woken.push([time, clock.now()]));
  await clock.run(() => woken.length === 6, 1000);
  expect(woken).toEqual([0, 7, 7, 50, 120, 300].map((time) => [time, time]));
});

test('does not advance during real work', async () => {
  const clock = createVirtualClock(0);
  const done: string[] = [];
  void clock.sleep(1).then(() => done.push('sleeper'));
  void clock.hold(() => realSleep(20)).then(() => done.push(`work at ${clock.now()}`));
  await clock.run(() => done.length === 2, 1000);
  expect(done).toEqual(['work at 0', 'sleeper']);
});

test('ends an aborted sleep immediately without advancing', async () => {
  const clock = createVirtualClock(0);
  const stop = new AbortController();
  let isAwake = false;
  void clock.sleep(500, stop.signal).then(() => {
    isAwake = true;
  });
  stop.abort();
  await clock.run(() => isAwake, 1000);
  expect(clock.now()).toBe(0);
});

test('throws if nothing waits for the clock', async () => {
  await expect(createVirtualClock(0).run(() => false, 1000)).rejects.toThrow('Nothing waits');
});
