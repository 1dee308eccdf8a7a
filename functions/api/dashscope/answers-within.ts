import type { WanClient } from '../../wan/client.ts';

type Canceling = Pick<WanClient, 'cancelTask' | 'queryTask'>;

/** Wan for the calls of one cancelation, which take so many milliseconds in all: what isn't answered by then is unavailable. */
export function answersWithin(milliseconds: number, wan: Canceling): Canceling {
  const signal = AbortSignal.timeout(milliseconds);
  return {
    cancelTask: (id) => wan.cancelTask(id, signal),
    queryTask: (id) => wan.queryTask(id, signal),
  };
}
