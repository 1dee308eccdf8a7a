import { sleepUntil } from '../clock.ts';
import type { JsonObject } from '../contract.ts';
import { engineExpression } from '../definition/engine-state.ts';
import { numberOf, objectOf, textOf } from '../definition/json.ts';
import type { State } from '../definition/state-machine.ts';
import { StateError } from '../errors.ts';
import { catchFailure } from './catch-failure.ts';
import { evaluate, runState, type Step } from './engine.ts';
import type { Ending, Entry } from './execution.ts';
import { eventsOfInvocation } from './history-cost.ts';
import { nextRetry } from './retry.ts';
import { currentOf, type Run, stateOf } from './run.ts';
import { runFail } from './run-fail.ts';
import { runTask } from './task.ts';
import { endOfWait } from './wait.ts';

/** The largest input or output of a state (quota: 256 KiB as UTF-8). */
const mostBytes = 256 * 1024;

/**
 * Runs the state that was entered last until it leads on or the execution has failed, with as many tries as its
 * retriers grant. Each retry is journaled before its delay.
 * @throws the signal's reason when it is aborted
 */
export async function runEntry(run: Run): Promise<Step | Ending> {
  const { clock, executions, random } = run.services;
  const state = stateOf(run, currentOf(run).state);
  if (state.type === 'Fail') return runFail(state, run);
  for (;;) {
    const entry = currentOf(run);
    if (entry.retry_at !== null) await sleepUntil(entry.retry_at, clock, run.signal);
    try {
      return limited(await attempt(state, entry, run), state);
    } catch (error) {
      // A function that was called off may fail by that, which is no failure to retry.
      run.signal.throwIfAborted();
      if (!(error instanceof StateError)) throw error;
      const retry = nextRetry(error.error, state.retry, entry.retries, random);
      if (!retry) return catchFailure(state, error, run);
      executions.retryLater(run.execution, {
        ...entry,
        retries: retry.counts,
        retry_at: clock.now() + retry.delay_ms,
        events: entry.events + eventsOfInvocation,
      });
    }
  }
}

async function attempt(state: State, entry: Entry, run: Run): Promise<Step> {
  const { clock, invoke } = run.services;
  const { definition } = state;
  if (state.type === 'Wait') {
    await sleepUntil(await endOfWait(state.engine, entry, run.context), clock, run.signal);
  }
  const timeout = await timeoutOf(definition, entry, run);
  return runState(state.engine, run.machine.states.keys(), entry.input, run.context, (input) =>
    runTask(input, {
      resource: textOf(definition.Resource) ?? '',
      timeout_seconds: timeout,
      execution_arn: run.execution.arn,
      invoke,
      clock,
      signal: run.signal,
    }),
  );
}

async function timeoutOf(definition: JsonObject, entry: Entry, run: Run): Promise<number | undefined> {
  if (!('TimeoutSecondsPath' in definition)) return numberOf(definition.TimeoutSeconds);
  const template = { 'value.$': engineExpression(definition.TimeoutSecondsPath) };
  const { value } = objectOf(await evaluate(template, entry.input, run.context));
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new StateError(
    'States.Runtime',
    `TimeoutSecondsPath leads to ${JSON.stringify(value)}, which is no whole number above 0.`,
  );
}

/** @throws {StateError} States.DataLimitExceeded */
function limited(step: Step, state: State): Step {
  if (Buffer.byteLength(JSON.stringify(step.output)) <= mostBytes) return step;
  throw new StateError(
    'States.DataLimitExceeded',
    `The result of the state '${state.name}' has more than ${mostBytes} bytes.`,
  );
}
