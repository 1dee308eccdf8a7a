import { createHash } from 'node:crypto';
import type { JsonObject } from '../contract.ts';
import { engineState } from './engine-state.ts';
import { numberOf, objectOf, objectsOf, textOf } from './json.ts';

/** An item of `Retry`, as far as it decides. */
export interface Retrier {
  error_equals: string[];
  interval_seconds: number;
  max_attempts: number;
  backoff_rate: number;
  max_delay_seconds: number | undefined;
  jitter: 'NONE' | 'FULL';
}

export interface Catcher {
  error_equals: string[];
  next: string;
  result_path: string | null | undefined;
}

/** A state as this runtime runs it: what the engine gets, and what is done around it. */
export interface State {
  name: string;
  type: string;
  /** The state's own definition. */
  definition: JsonObject;
  /** What the engine runs: data flow and choices, without Retry, Catch and time. */
  engine: JsonObject;
  retry: Retrier[];
  catch: Catcher[];
}

/** A definition made ready. Executions keep the one they started with. */
export interface StateMachine {
  /** Of the definition's text: what the journal calls it by. */
  hash: string;
  start_at: string;
  timeout_seconds: number | undefined;
  states: ReadonlyMap<string, State>;
}

/** Reads a definition that `unsupported` has nothing to say about. Defaults are those of the Amazon States Language. */
export function readStateMachine(definition: JsonObject): StateMachine {
  const states = Object.entries(objectOf(definition.States)).map(([name, state]) => readState(name, objectOf(state)));
  return {
    hash: createHash('sha256').update(JSON.stringify(definition)).digest('hex').slice(0, 32),
    start_at: textOf(definition.StartAt) ?? '',
    timeout_seconds: numberOf(definition.TimeoutSeconds),
    states: new Map(states.map((state) => [state.name, state])),
  };
}

function readState(name: string, definition: JsonObject): State {
  return {
    name,
    type: textOf(definition.Type) ?? '',
    definition,
    engine: engineState(definition),
    retry: objectsOf(definition.Retry).map(readRetrier),
    catch: objectsOf(definition.Catch).map(readCatcher),
  };
}

const errorsOf = (item: JsonObject): string[] =>
  Array.isArray(item.ErrorEquals) ? item.ErrorEquals.filter((name) => typeof name === 'string') : [];

const readRetrier = (item: JsonObject): Retrier => ({
  error_equals: errorsOf(item),
  interval_seconds: numberOf(item.IntervalSeconds) ?? 1,
  max_attempts: numberOf(item.MaxAttempts) ?? 3,
  backoff_rate: numberOf(item.BackoffRate) ?? 2,
  max_delay_seconds: numberOf(item.MaxDelaySeconds),
  jitter: item.JitterStrategy === 'FULL' ? 'FULL' : 'NONE',
});

const readCatcher = (item: JsonObject): Catcher => ({
  error_equals: errorsOf(item),
  next: textOf(item.Next) ?? '',
  result_path: item.ResultPath === null ? null : textOf(item.ResultPath),
});
