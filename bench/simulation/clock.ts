import { setImmediate } from 'node:timers/promises';

/** A clock that only moves when everybody waits for it. */
export interface VirtualClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves when the clock shows so many milliseconds more, at once when `signal` is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Does real work, of which the clock sees nothing: it stands still until it is done. */
  hold<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Keeps the clock still until the returned function is called. */
  stop(): () => void;
  /**
   * Lets time pass until `done`.
   * @throws Error when it shows `latest` before, or nobody waits for it any more
   */
  run(done: () => boolean, latest: number): Promise<void>;
}

interface Sleeper {
  at: number;
  /** Those of the same moment wake in the order in which they went to sleep. */
  order: number;
  wake: () => void;
  isAwake: boolean;
}

/** How often Node's queues must have come round without anything being held before all are taken to wait. */
const QUIET_ROUNDS = 3;

/** @param start milliseconds since 1970 */
export function createVirtualClock(start: number): VirtualClock {
  const queue = createQueue();
  let now = start;
  let held = 0;
  let slept = 0;

  async function quiet(): Promise<void> {
    for (let rounds = 0; rounds < QUIET_ROUNDS; rounds = held > 0 ? 0 : rounds + 1) await setImmediate();
  }

  const clock: VirtualClock = {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        slept += 1;
        const sleeper: Sleeper = {
          at: now + Math.max(0, Math.ceil(milliseconds)),
          order: slept,
          isAwake: false,
          wake,
        };
        function wake() {
          sleeper.isAwake = true;
          signal?.removeEventListener('abort', wake);
          resolve();
        }
        signal?.addEventListener('abort', wake);
        queue.add(sleeper);
      }),
    stop() {
      held += 1;
      let isHeld = true;
      return () => {
        if (isHeld) held -= 1;
        isHeld = false;
      };
    },
    hold(work) {
      const release = clock.stop();
      return work().finally(release);
    },
    async run(done, latest) {
      for (;;) {
        await quiet();
        if (done()) return;
        const next = queue.take();
        if (!next) throw new Error('Nobody waits for the clock any more, and it is not done.');
        if (next.isAwake) continue;
        if (next.at > latest) throw new Error(`Not done after ${(latest - start) / 1000} s of the clock.`);
        now = next.at;
        next.wake();
      }
    },
  };
  return clock;
}

/** A binary heap: whoever wakes first is on top. */
function createQueue() {
  const heap: Sleeper[] = [];
  const isBefore = (one: Sleeper, other: Sleeper) =>
    one.at < other.at || (one.at === other.at && one.order < other.order);
  const swap = (one: number, other: number) => {
    [heap[one], heap[other]] = [heap[other]!, heap[one]!];
  };
  return {
    add(sleeper: Sleeper): void {
      heap.push(sleeper);
      for (let at = heap.length - 1, above = (at - 1) >> 1; at > 0 && isBefore(heap[at]!, heap[above]!); ) {
        swap(at, above);
        at = above;
        above = (at - 1) >> 1;
      }
    },
    take(): Sleeper | undefined {
      const first = heap[0];
      const last = heap.pop();
      if (!last || heap.length === 0) return first;
      heap[0] = last;
      for (let at = 0; ; ) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        const lower = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
        if (lower >= heap.length || !isBefore(heap[lower]!, heap[at]!)) return first;
        swap(at, lower);
        at = lower;
      }
    },
  };
}
