/** Polls the videos that have not ended: with few open requests, and none while the page is hidden. */
export interface Poller {
  /** Adds a video, or polls it earlier than planned. */
  add(id: string, inSeconds: number): void;
  /** Stops polling a video and aborts its open request. */
  remove(id: string): void;
  /** Aborts open requests and sends none until `resume`. */
  pause(): void;
  /** Continues; polls immediately what became due in between. */
  resume(): void;
  /** Removes all videos. */
  clear(): void;
}

/** When to poll next. `pause`: no request about any video before then. */
export type NextPoll = { kind: 'ended' } | { kind: 'again' | 'pause'; inSeconds: number };

export interface PollerServices {
  /**
   * Sends one request; never rejects.
   * @param options.wait seconds for which the API may hold the response until the video changes
   * @param options.signal aborted when the response is no longer needed
   */
  poll: (id: string, options: { wait: number; signal: AbortSignal }) => Promise<NextPoll>;
  /** Milliseconds. */
  now: () => number;
  /** @returns a function that cancels the timer */
  timer: (callback: () => void, milliseconds: number) => () => void;
}

/** A browser opens six connections to a server over HTTP/1.1; the other three are free for the buttons. */
const maxOpenRequests = 3;
/** How long a request may be held. With more videos than open requests it is divided, so that each is polled about this often. */
const roundSeconds = 20;

export function createPoller({ poll, now, timer }: PollerServices): Poller {
  /** When each is due. A new object replaces the old one, so that a running poll notices the change. */
  const due = new Map<string, { at: number }>();
  const open = new Map<string, AbortController>();
  let pausedUntil = 0;
  let paused = false;
  let cancelTimer: (() => void) | undefined;

  function schedule(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    if (paused) return;
    const next = [...due].filter(([id]) => !open.has(id)).sort(([, one], [, other]) => one.at - other.at);
    for (const [id, { at }] of next.slice(0, maxOpenRequests - open.size)) {
      const left = Math.max(at, pausedUntil) - now();
      if (left > 0) {
        cancelTimer = timer(schedule, left);
        return;
      }
      void pollNow(id);
    }
  }

  async function pollNow(id: string): Promise<void> {
    const controller = new AbortController();
    open.set(id, controller);
    const before = due.get(id);
    const wait = Math.max(1, Math.floor((roundSeconds * maxOpenRequests) / Math.max(maxOpenRequests, due.size)));
    const next = await poll(id, { wait, signal: controller.signal });
    if (open.get(id) !== controller) return;
    open.delete(id);
    if (next.kind === 'pause') pausedUntil = now() + next.inSeconds * 1000;
    // `add` during the request takes precedence.
    if (due.get(id) === before) {
      if (next.kind === 'ended') due.delete(id);
      else due.set(id, { at: now() + next.inSeconds * 1000 });
    }
    schedule();
  }

  function abortAll(): void {
    for (const controller of open.values()) controller.abort();
    open.clear();
  }

  return {
    add(id, inSeconds) {
      due.set(id, { at: Math.min(due.get(id)?.at ?? Number.POSITIVE_INFINITY, now() + inSeconds * 1000) });
      schedule();
    },
    remove(id) {
      due.delete(id);
      open.get(id)?.abort();
      open.delete(id);
      schedule();
    },
    pause() {
      paused = true;
      abortAll();
      schedule();
    },
    resume() {
      paused = false;
      schedule();
    },
    clear() {
      due.clear();
      abortAll();
      schedule();
    },
  };
}
