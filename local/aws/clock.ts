/** Time, for everything here that waits: a test turns its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `action` once after `milliseconds`; the returned function calls it off. */
  after(milliseconds: number, action: () => void): () => void;
}

/** The machine's own time. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: Date.now,
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `milliseconds`, or as soon as `signal` is aborted. */
export const sleepBy =
  (clock: Clock) =>
  (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = clock.after(milliseconds, wake);
      signal.addEventListener('abort', wake);
    });
