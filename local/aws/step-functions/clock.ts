/** Time and the waiting for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now: () => number;
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** A longer timer of Node's fires at once. */
const longestTimer = 2 ** 31 - 1;

/** Real timers. Resolves early when aborted, or after the longest timer there is: `sleepUntil` looks at the clock again. */
export function sleepWithTimers(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, Math.min(milliseconds, longestTimer));
    signal.addEventListener('abort', finish);
  });
}

/**
 * Resolves when the clock shows `time`, at once when it is past.
 * @throws the signal's reason when it is aborted before
 */
export async function sleepUntil(time: number, clock: Clock, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = time - clock.now(); left > 0; left = time - clock.now()) {
    await clock.sleep(left, signal);
    signal.throwIfAborted();
  }
}
