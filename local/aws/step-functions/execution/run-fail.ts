import type { Json, JsonObject } from '../contract.ts';
import { engineExpression } from '../definition/engine-state.ts';
import { objectOf } from '../definition/json.ts';
import type { State } from '../definition/state-machine.ts';
import { StateError } from '../errors.ts';
import { evaluate } from './engine.ts';
import type { Ending } from './execution.ts';
import { currentOf, failedIn, type Run } from './run.ts';

/** How a Fail state ends the execution. Its error and cause may come from paths or functions, and may be absent. */
export async function runFail(state: State, run: Run): Promise<Ending> {
  const { Error: error, Cause: cause, ErrorPath: errorPath, CausePath: causePath } = state.definition;
  const template: JsonObject = {
    ...(errorPath === undefined ? { error: error ?? null } : { 'error.$': engineExpression(errorPath) }),
    ...(causePath === undefined ? { cause: cause ?? null } : { 'cause.$': engineExpression(causePath) }),
  };
  try {
    const value = objectOf(await evaluate(template, currentOf(run).input, run.context));
    return { status: 'FAILED', error: textOrNull(value.error), cause: textOrNull(value.cause) };
  } catch (failure) {
    if (failure instanceof StateError) return failedIn(state, failure);
    throw failure;
  }
}

function textOrNull(value: Json = null): string | null {
  if (value === null || typeof value === 'string') return value;
  throw new StateError('States.Runtime', `${JSON.stringify(value)} is no text for an error or a cause.`);
}
