import type { Clock } from '../clock.ts';
import type { Invoke, JsonObject } from '../contract.ts';
import type { State, StateMachine } from '../definition/state-machine.ts';
import type { StateError } from '../errors.ts';
import type { Ending, Entry, Execution } from './execution.ts';
import type { Executions } from './executions.ts';

export interface RunServices {
  executions: Executions;
  clock: Clock;
  invoke: Invoke;
  random: () => number;
}

/** One execution with what it runs in. */
export interface Run {
  execution: Execution;
  machine: StateMachine;
  context: JsonObject;
  services: RunServices;
  /** Aborted when the execution was ended by something else, or this process stops. */
  signal: AbortSignal;
}

export function currentOf(run: Run): Entry {
  if (!run.execution.current) throw new Error(`${run.execution.arn} is over and cannot go on.`);
  return run.execution.current;
}

export function stateOf(run: Run, name: string): State {
  const state = run.machine.states.get(name);
  if (!state) throw new Error(`The definition of ${run.execution.arn} has no state ${name}.`);
  return state;
}

/** How an execution ends by a state's failure that nothing caught. */
export function failedIn(state: State, { error, causeText }: StateError): Ending {
  const cause =
    error === 'States.Runtime'
      ? `An error occurred while executing the state '${state.name}'. ${causeText}`
      : causeText;
  return { status: 'FAILED', error, cause };
}
