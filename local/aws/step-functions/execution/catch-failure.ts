import type { Json, JsonObject } from '../contract.ts';
import { withResultPath } from '../definition/engine-state.ts';
import type { Catcher, State } from '../definition/state-machine.ts';
import { StateError } from '../errors.ts';
import { runState, type Step } from './engine.ts';
import type { Ending } from './execution.ts';
import { catcherOf } from './retry.ts';
import { currentOf, failedIn, type Run } from './run.ts';

/** Where a failure leads that is retried no more: to the first catcher that names it, or to the execution's end. */
export async function catchFailure(state: State, error: StateError, run: Run): Promise<Step | Ending> {
  const catcher = catcherOf(error.error, state.catch);
  if (!catcher) return failedIn(state, error);
  try {
    return { next: catcher.next, output: await caughtOutput(catcher, error, run) };
  } catch (failure) {
    if (failure instanceof StateError) return failedIn(state, failure);
    throw failure;
  }
}

/** Error and cause, placed in the state's input as the catcher's ResultPath says. */
async function caughtOutput(catcher: Catcher, error: StateError, run: Run): Promise<Json> {
  const pass: JsonObject = { Type: 'Pass', End: true, Result: { Error: error.error, Cause: error.causeText } };
  if (catcher.result_path !== undefined) pass.ResultPath = catcher.result_path;
  withResultPath(pass);
  return (await runState(pass, [], currentOf(run).input, run.context)).output;
}
