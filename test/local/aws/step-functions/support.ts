import { createVirtualClock } from '../../../../bench/simulation/clock.ts';
import {
  createStepFunctions,
  type StatusChangeDetail,
  type StepFunctionsOptions,
} from '../../../../local/aws/step-functions/step-functions.ts';

export const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:videos';
export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}:live`;
export const executionArn = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:videos:${name}`;
export const start = Date.parse('2026-01-01T00:00:00Z');

/** An error with the name that a function, Lambda or another service gives it. */
export const failure = (name: string, message = '') => Object.assign(new Error(message), { name });

/** Fails with each of the names in order, then returns `result`. */
export function failing(names: readonly string[], result: unknown = {}) {
  const left = [...names];
  return async () => {
    const name = left.shift();
    if (name !== undefined) throw failure(name, `${name} happened.`);
    return result;
  };
}

export const task = { Type: 'Task', Resource: functionArn('work') };
export const only = (state: object) => ({ StartAt: 'Only', States: { Only: { ...state, End: true } } });

/** Creates a state machine with a virtual clock. */
export function open(definition: object, options: Partial<StepFunctionsOptions> = {}) {
  const clock = createVirtualClock(start);
  const changes: StatusChangeDetail[] = [];
  /** The start of each attempt, in milliseconds since the start of the test. */
  const attempts: number[] = [];
  const { invokeFunction: invoke = async (_arn, payload) => payload, callAws = async () => ({}) } = options;
  const stepFunctions = createStepFunctions({
    now: clock.now,
    sleep: clock.sleep,
    stateMachines: [{ arn: stateMachineArn, name: 'videos', definition }],
    onStatusChange: (detail) => void changes.push(detail),
    ...options,
    invokeFunction(...call) {
      attempts.push(clock.now() - start);
      return invoke(...call);
    },
    callAws(...call) {
      attempts.push(clock.now() - start);
      return callAws(...call);
    },
  });
  return {
    ...stepFunctions,
    clock,
    changes,
    attempts,
    begin: (name = 'one', input: unknown = {}) =>
      stepFunctions.handle('StartExecution', { stateMachineArn, name, input: JSON.stringify(input) }),
    /** Advances the clock until all executions have ended. @returns the first */
    async ended() {
      const executions = stepFunctions.executions();
      await clock.run(() => executions.every(({ status }) => status !== 'RUNNING'), Number.POSITIVE_INFINITY);
      const [execution] = executions;
      return { ...execution!, output: JSON.parse(execution!.output ?? 'null') };
    },
  };
}

/** Runs one execution to its end. */
export async function runToEnd(definition: object, input: unknown = {}, options: Partial<StepFunctionsOptions> = {}) {
  const opened = open(definition, options);
  await opened.begin('one', input);
  return { ...opened, execution: await opened.ended() };
}
