import { setImmediate } from 'node:timers/promises';

/** A clock that only advances when all tasks wait for it. */
export interface VirtualClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after the given time, or immediately when `signal` is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Does real work while the clock is stopped. */
  hold<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Stops the clock until the returned function is called. */
  stop(): () => void;
  /**
   * Advances the clock until `done` returns true.
   * @throws Error if it reaches `latest` before, or if nothing waits for it anymore
   */
  run(done: () => boolean, latest: number): Promise<void>;
}

interface Sleeper {
  at: number;
  /** Sleepers of the same time wake in the order in which they were added. */
  order: number;
  wake: () => void;
  isAwake: boolean;
}

/** The number of event loop rounds without real work after which all tasks are assumed to wait. */
const QUIET_ROUNDS = 3;

/** @param start milliseconds since 1970 */
export function createVirtualClock(start: number): VirtualClock {
  const queue = createQueue();
  let now = start;
  let stops = 0;
  let sleepers = 0;

  async function untilIdle(): Promise<void> {
    for (let rounds = 0; rounds < QUIET_ROUNDS; rounds = stops > 0 ? 0 : rounds + 1) await setImmediate();
  }

  const clock: VirtualClock = {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        sleepers += 1;
        const sleeper: Sleeper = {
          at: now + Math.max(0, Math.ceil(milliseconds)),
          order: sleepers,
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
      stops += 1;
      let isStopped = true;
      return () => {
        if (isStopped) stops -= 1;
        isStopped = false;
      };
    },
    hold(work) {
      const release = clock.stop();
      return work().finally(release);
    },
    async run(done, latest) {
      for (;;) {
        await untilIdle();
        if (done()) return;
        const next = queue.take();
        if (!next) throw new Error('Nothing waits for the clock anymore, but the run is not done.');
        if (next.isAwake) continue;
        if (next.at > latest) throw new Error(`Not done after ${(latest - start) / 1000} s of virtual time.`);
        now = next.at;
        next.wake();
      }
    },
  };
  return clock;
}

/** Creates a binary heap with the next sleeper on top. */
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
