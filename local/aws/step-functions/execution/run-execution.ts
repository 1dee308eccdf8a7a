import { setImmediate } from 'node:timers/promises';
import type { Json } from '../contract.ts';
import type { Ending, Entry } from './execution.ts';
import { eventsOfState, mostHistoryEvents } from './history-cost.ts';
import { currentOf, type Run, stateOf } from './run.ts';
import { runEntry } from './run-entry.ts';

/**
 * Runs an execution from the state it entered last to its end. Each entry is journaled before the state runs, so a
 * restart runs that state again, with the same input: a Task's function may be invoked twice, a Wait keeps its end.
 * @throws the signal's reason when it is aborted
 */
export async function runExecution(run: Run): Promise<Ending> {
  for (;;) {
    // A loop of states that wait for nothing must not starve the other executions.
    await setImmediate();
    run.signal.throwIfAborted();
    const outcome = await runEntry(run);
    run.signal.throwIfAborted();
    if ('status' in outcome) return outcome;
    if (outcome.next === undefined) return { status: 'SUCCEEDED', output: JSON.stringify(outcome.output) };
    const entry = entryOf(run, outcome.next, outcome.output);
    if (entry.events >= mostHistoryEvents) return tooLong;
    const { state, entered_at } = entry;
    run.services.executions.enter(run.execution, entry, { state, type: stateOf(run, state).type, entered_at });
  }
}

const tooLong: Ending = {
  status: 'FAILED',
  error: 'States.Runtime',
  cause: `The execution reached the maximum number of history events (${mostHistoryEvents}).`,
};

function entryOf(run: Run, name: string, input: Json): Entry {
  const events = currentOf(run).events + eventsOfState(stateOf(run, name).type);
  return { state: name, input, entered_at: run.services.clock.now(), retries: [], retry_at: null, events };
}
