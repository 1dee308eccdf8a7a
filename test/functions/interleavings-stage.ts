import fc from 'fast-check';
import { Crash } from './workflow/support.ts';

/** Which actor continues, for how many effects, and whether it crashes with the last of them. */
export interface Decision {
  who: number;
  effects: number;
  crashes: boolean;
}

/** Decisions that shrink towards sequential execution without crashes. */
export const decisions = fc.array(
  fc.record({
    who: fc.nat({ max: 11 }),
    // A few effects at a time, or a long run while all others are paused.
    effects: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 30 })),
    crashes: fc.integer({ min: 0, max: 24 }).map((of25) => of25 === 24),
  }),
  { maxLength: 60, size: 'max' },
);

interface Actor {
  name: string;
  /** Starts the actor's next effect; undefined while one is running. */
  proceed: (() => void) | undefined;
  crashesNext: boolean;
}

/**
 * Runs concurrent actors one effect at a time, in a decided order: each actor pauses before each of its effects, and one of them
 * continues when all are paused. Equal decisions give equal histories.
 */
export function aStage() {
  const actors: Actor[] = [];
  const unexpectedErrors: string[] = [];
  let wake: () => void = () => undefined;

  const allPaused = async () => {
    while (actors.some(({ proceed }) => !proceed)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  /** Adds an actor, which runs until its first effect and pauses there. When it is to crash, the effect throws a Crash. */
  function enter(
    name: string,
    run: (through: <Result>(effect: () => Promise<Result>) => Promise<Result>) => Promise<unknown>,
    left: () => void = () => undefined,
  ): void {
    const actor: Actor = { name, proceed: undefined, crashesNext: false };
    const through = async <Result>(effect: () => Promise<Result>): Promise<Result> => {
      await new Promise<void>((proceed) => {
        actor.proceed = proceed;
        wake();
      });
      if (!actor.crashesNext) return effect();
      await effect().catch(() => undefined);
      throw new Crash(name);
    };
    actors.push(actor);
    run(through)
      .catch((error: unknown) => {
        if (!(error instanceof Crash))
          unexpectedErrors.push(`${name}: ${error instanceof Error ? error.stack : error}`);
      })
      .finally(() => {
        left();
        actors.splice(actors.indexOf(actor), 1);
        wake();
      });
  }

  /** Runs until all actors have ended: first by the decisions, then one effect after the other. */
  async function play(decided: readonly Decision[] = []): Promise<void> {
    const rest: Decision = { who: 0, effects: 1, crashes: false };
    for (let turn = 0; ; turn++) {
      await allPaused();
      const { who, effects, crashes } = decided[turn] ?? rest;
      const actor = actors[who % Math.max(1, actors.length)];
      if (!actor) return;
      for (let left = effects; left > 0 && actors.includes(actor); left--) {
        actor.crashesNext = crashes && left === 1;
        const { proceed } = actor;
        actor.proceed = undefined;
        proceed?.();
        await allPaused();
      }
    }
  }

  return { enter, play, unexpectedErrors };
}
export type Stage = ReturnType<typeof aStage>;
