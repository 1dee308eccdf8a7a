import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  createStepFunctions,
  type Invoke,
  type StatusChangeDetail,
  type StepFunctions,
  type StepFunctionsOptions,
} from '../../../local/aws/step-functions/step-functions.ts';

export const machineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:workflow';
export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}:live`;
export const executionArn = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:workflow:${name}`;
export const startOfTime = Date.parse('2026-01-01T00:00:00.250Z');
export const day = 24 * 60 * 60 * 1000;

export const newDirectory = () => mkdtempSync(path.join(tmpdir(), 'step-functions-'));

/** Time that jumps to the next sleeper's end as soon as nothing else can happen. */
export function jumpingClock() {
  let time = startOfTime;
  let stopped = false;
  let jumping = false;
  const sleepers = new Set<{ due: number; wake: () => void }>();

  async function jump(): Promise<void> {
    if (jumping) return;
    jumping = true;
    while (sleepers.size > 0 && !stopped) {
      for (let round = 0; round < 12; round += 1) await setImmediate();
      const [next] = [...sleepers].sort((one, other) => one.due - other.due);
      if (!next || stopped) break;
      time = Math.max(time, next.due);
      next.wake();
    }
    jumping = false;
  }

  return {
    now: () => time,
    /** Milliseconds since the clock's start. */
    elapsed: () => time - startOfTime,
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    /** From here on time stands still. */
    stop: () => {
      stopped = true;
    },
    sleepers,
    sleep: (milliseconds: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        const sleeper = {
          due: time + milliseconds,
          wake: () => {
            sleepers.delete(sleeper);
            signal.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        signal.addEventListener('abort', sleeper.wake);
        sleepers.add(sleeper);
        void jump();
      }),
  };
}

// Importing the engine takes real time, in which a jumping clock would jump.
await import('aws-local-stepfunctions');

export class FunctionError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

export interface Invocation {
  function: string;
  payload: unknown;
  /** Milliseconds since the clock's start. */
  at: number;
}

type Options = Partial<Omit<StepFunctionsOptions, 'invoke'>> & {
  invoke?: Invoke;
  clock?: ReturnType<typeof jumpingClock>;
};

/** The subject over one machine, with what it did. */
export function open(definition: object, options: Options = {}) {
  const clock = options.clock ?? jumpingClock();
  const directory = options.directory ?? newDirectory();
  const changes: StatusChangeDetail[] = [];
  const invocations: Invocation[] = [];
  const stepFunctions = createStepFunctions({
    now: clock.now,
    sleep: clock.sleep,
    stateMachines: [{ arn: machineArn, name: 'workflow', definition, type: 'STANDARD' }],
    onStatusChange: async (detail) => {
      changes.push(detail);
    },
    ...options,
    directory,
    invoke: async (arn, payload, context) => {
      invocations.push({ function: arn, payload, at: clock.elapsed() });
      return options.invoke ? options.invoke(arn, payload, context) : payload;
    },
  });
  return { stepFunctions, clock, directory, changes, invocations };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read field by field, as a client would
export type Answer = any;

export const start = (stepFunctions: StepFunctions, name: string, input: unknown = {}): Promise<Answer> =>
  stepFunctions.handle('StartExecution', { stateMachineArn: machineArn, name, input: JSON.stringify(input) });

export const describeOf = (stepFunctions: StepFunctions, name: string): Promise<Answer> =>
  stepFunctions.handle('DescribeExecution', { executionArn: executionArn(name) });

/** Runs one execution to its end and closes. */
export async function runToEnd(definition: object, input: unknown = {}, options: Options = {}) {
  const opened = open(definition, options);
  await start(opened.stepFunctions, 'one', input);
  await opened.stepFunctions.idle();
  const execution = await describeOf(opened.stepFunctions, 'one');
  await opened.stepFunctions.close();
  return { ...opened, execution, output: execution.output === undefined ? undefined : JSON.parse(execution.output) };
}

/** A machine of one state that ends. */
export const only = (state: object) => ({ StartAt: 'Only', States: { Only: { ...state, End: true } } });

/** Resolves when `condition` holds. */
export async function until(condition: () => boolean, milliseconds = 2000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`It did not happen within ${milliseconds} ms.`);
    await setImmediate();
  }
}
