/** Asks for what is still under way, each at its own time. */
export interface Follower {
  /** Begins with a video, or sets when it is asked for next. */
  follow(id: string, inSeconds: number): void;
  /** Stops asking; nobody looks. */
  pause(): void;
  /** Goes on: what came due meanwhile is asked for at once. */
  resume(): void;
  /** Forgets all. */
  clear(): void;
}

export interface FollowServices {
  /** Asks once; never rejects. @returns in how many seconds to ask again; undefined when there will be no more news */
  ask: (id: string) => Promise<number | undefined>;
  /** Milliseconds. */
  now: () => number;
  /** @returns what takes the timer back */
  timer: (callback: () => void, milliseconds: number) => () => void;
}

/** As late as several videos come due that they are asked for in one go. */
const togetherMilliseconds = 250;

export function createFollower({ ask, now, timer }: FollowServices): Follower {
  const due = new Map<string, number>();
  let cancel: (() => void) | undefined;
  let asking = false;
  let paused = false;

  function plan(): void {
    cancel?.();
    cancel = undefined;
    if (paused || asking || due.size === 0) return;
    cancel = timer(round, Math.max(0, Math.min(...due.values()) - now()));
  }

  /** One after the other: a long list is no reason for a burst. */
  async function round(): Promise<void> {
    asking = true;
    const ids = [...due].filter(([, at]) => at <= now() + togetherMilliseconds).map(([id]) => id);
    for (const id of ids) {
      const before = due.get(id);
      if (paused || before === undefined) continue;
      const again = await ask(id);
      // Forgotten or set anew meanwhile: that stands.
      if (due.get(id) !== before) continue;
      if (again === undefined) due.delete(id);
      else due.set(id, now() + again * 1000);
    }
    asking = false;
    plan();
  }

  return {
    follow(id, inSeconds) {
      due.set(id, now() + inSeconds * 1000);
      plan();
    },
    pause() {
      paused = true;
      plan();
    },
    resume() {
      paused = false;
      plan();
    },
    clear() {
      due.clear();
      plan();
    },
  };
}
