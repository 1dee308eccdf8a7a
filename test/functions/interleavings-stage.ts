import fc from 'fast-check';
import { Crash } from './workflow/support.ts';

/** Who goes on, for how many effects, and whether it dies with the last of them. */
export interface Decision {
  who: number;
  effects: number;
  dies: boolean;
}

/** Decisions that shrink towards "one after the other, and nobody dies". */
export const decisions = fc.array(
  fc.record({
    who: fc.nat({ max: 11 }),
    // A step or two at a time, or somebody runs through while all others stand still.
    effects: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 30 })),
    dies: fc.integer({ min: 0, max: 24 }).map((of25) => of25 === 24),
  }),
  { maxLength: 60, size: 'max' },
);

interface Actor {
  name: string;
  /** Lets it do its next effect; undefined while it is at one. */
  proceed: (() => void) | undefined;
  diesNext: boolean;
}

/**
 * Everything that happens at once, one effect at a time in an order that is decided: each actor stops before each of its effects, and
 * one of them is let on when all stand still. The same decisions are the same history.
 */
export function aStage() {
  const actors: Actor[] = [];
  const surprises: string[] = [];
  let wake: () => void = () => undefined;

  const allStand = async () => {
    while (actors.some(({ proceed }) => !proceed)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  /** Adds an actor: it runs until its first effect, and waits there for its turn. Where it is to die, its effect ends with a Crash. */
  function enter(
    name: string,
    act: (through: <Result>(effect: () => Promise<Result>) => Promise<Result>) => Promise<unknown>,
    left: () => void = () => undefined,
  ): void {
    const actor: Actor = { name, proceed: undefined, diesNext: false };
    const through = async <Result>(effect: () => Promise<Result>): Promise<Result> => {
      await new Promise<void>((proceed) => {
        actor.proceed = proceed;
        wake();
      });
      if (!actor.diesNext) return effect();
      await effect().catch(() => undefined);
      throw new Crash(name);
    };
    actors.push(actor);
    act(through)
      .catch((error: unknown) => {
        if (!(error instanceof Crash)) surprises.push(`${name}: ${error instanceof Error ? error.stack : error}`);
      })
      .finally(() => {
        left();
        actors.splice(actors.indexOf(actor), 1);
        wake();
      });
  }

  /** Plays until nobody is left: as decided, and what no decision is left for one after the other. */
  async function play(decided: readonly Decision[] = []): Promise<void> {
    const rest: Decision = { who: 0, effects: 1, dies: false };
    for (let turn = 0; ; turn++) {
      await allStand();
      const { who, effects, dies } = decided[turn] ?? rest;
      const actor = actors[who % Math.max(1, actors.length)];
      if (!actor) return;
      for (let left = effects; left > 0 && actors.includes(actor); left--) {
        actor.diesNext = dies && left === 1;
        const { proceed } = actor;
        actor.proceed = undefined;
        proceed?.();
        await allStand();
      }
    }
  }

  return { enter, play, surprises };
}
export type Stage = ReturnType<typeof aStage>;
