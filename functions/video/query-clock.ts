import { keys } from './keys.ts';
import { reserveMoment } from './reserve-moment.ts';
import type { Table } from './store.ts';

/**
 * Wan answers 20 questions a second per account (facts, "Rate limits"): 15 are for the workflow, the rest for what callers cause. Turns
 * are for 14, so that one that comes late into the next second makes no sixteenth.
 */
const QUESTIONS_PER_SECOND = 14;
const INTERVAL_MILLISECONDS = Math.ceil(1000 / QUESTIONS_PER_SECOND);

/**
 * Reserves the next moment at which Wan may be asked about tasks, over all models and invocations.
 * @param patience how many milliseconds from now the moment may be at most; whoever gives up has reserved nothing
 * @returns milliseconds since 1970, never before now; undefined when all moments until then are taken
 */
export const reserveQuestion = (table: Table, patience: number): Promise<number | undefined> =>
  reserveMoment(table, keys.queryClock, INTERVAL_MILLISECONDS, patience);
