/** Waits for news of what is still under way: with few requests at once, and with none while nobody looks. */
export interface Follower {
  /** Begins with a video, or asks for it sooner than it was due. */
  follow(id: string, inSeconds: number): void;
  /** Asks for a video no more; a question on its way is taken back. */
  forget(id: string): void;
  /** Stops, questions on their way included; nobody looks. */
  pause(): void;
  /** Goes on: what came due meanwhile is asked for at once. */
  resume(): void;
  /** Forgets all. */
  clear(): void;
}

/** What an answer means for the next question. `hold`: no question at all before then, whatever it is about. */
export type Next = { kind: 'ended' } | { kind: 'again' | 'hold'; inSeconds: number };

export interface FollowServices {
  /**
   * Asks once; never rejects.
   * @param options.wait for how many seconds the answer may be kept back until there is news
   * @param options.signal aborted when nobody waits for the answer any more
   */
  ask: (id: string, options: { wait: number; signal: AbortSignal }) => Promise<Next>;
  /** Milliseconds. */
  now: () => number;
  /** @returns what takes the timer back */
  timer: (callback: () => void, milliseconds: number) => () => void;
}

/** A browser opens six connections to a server over HTTP/1.1: whoever presses a button must find one free. */
const mostAtOnce = 3;
/** How long a question is kept open. Of more videos than are asked for at once, each has its turn in about this time. */
const turnSeconds = 20;

export function createFollower({ ask, now, timer }: FollowServices): Follower {
  /** When each is due. Who sets it anew sets another object. */
  const due = new Map<string, { at: number }>();
  const asking = new Map<string, AbortController>();
  let heldUntil = 0;
  let paused = false;
  let cancel: (() => void) | undefined;

  function plan(): void {
    cancel?.();
    cancel = undefined;
    if (paused) return;
    const next = [...due].filter(([id]) => !asking.has(id)).sort(([, one], [, other]) => one.at - other.at);
    for (const [id, { at }] of next.slice(0, mostAtOnce - asking.size)) {
      const left = Math.max(at, heldUntil) - now();
      if (left > 0) {
        cancel = timer(plan, left);
        return;
      }
      void askFor(id);
    }
  }

  async function askFor(id: string): Promise<void> {
    const controller = new AbortController();
    asking.set(id, controller);
    const before = due.get(id);
    const wait = Math.max(1, Math.floor((turnSeconds * mostAtOnce) / Math.max(mostAtOnce, due.size)));
    const next = await ask(id, { wait, signal: controller.signal });
    if (asking.get(id) !== controller) return;
    asking.delete(id);
    if (next.kind === 'hold') heldUntil = now() + next.inSeconds * 1000;
    // Set anew meanwhile: that stands.
    if (due.get(id) === before) {
      if (next.kind === 'ended') due.delete(id);
      else due.set(id, { at: now() + next.inSeconds * 1000 });
    }
    plan();
  }

  function takeBack(): void {
    for (const controller of asking.values()) controller.abort();
    asking.clear();
  }

  return {
    follow(id, inSeconds) {
      due.set(id, { at: Math.min(due.get(id)?.at ?? Number.POSITIVE_INFINITY, now() + inSeconds * 1000) });
      plan();
    },
    forget(id) {
      due.delete(id);
      asking.get(id)?.abort();
      asking.delete(id);
      plan();
    },
    pause() {
      paused = true;
      takeBack();
      plan();
    },
    resume() {
      paused = false;
      plan();
    },
    clear() {
      due.clear();
      takeBack();
      plan();
    },
  };
}
