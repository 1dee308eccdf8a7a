import { randomBytes } from 'node:crypto';
import { isObject } from '../json.ts';
import {
  attributesIn,
  type Choice,
  type Json,
  type JsonObject,
  type StateMachine,
  type Task,
  waitsForToken,
} from './definition.ts';

/** The outside world of an execution. */
export interface Environment {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves after `milliseconds`, or as soon as `signal` is aborted. */
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /**
   * Runs a function. A rejection is a failed task: `name` is the error name (the function's `errorType`, or one of AWS
   * such as `Lambda.TooManyRequestsException` and `Sandbox.Timedout`), `trace` the optional stack trace for the cause.
   */
  invokeFunction: (functionArn: string, payload: Json, executionArn: string) => Promise<unknown>;
  /** Makes an AWS call. A rejection's `name` is the service's error code. */
  callAws: (action: 'dynamodb:updateItem', parameters: JsonObject, executionArn: string) => Promise<unknown>;
}

/** One execution of a state machine. */
export interface Run extends Environment {
  machine: StateMachine;
  execution: { arn: string; name: string; input: string };
  /** Open task tokens and the functions that resolve them. The interpreter adds and removes entries. */
  tokens: Map<string, (output: Json) => void>;
  /** Counted by the interpreter: state transitions that AWS bills, and history events that AWS limits. */
  counts: { transitions: number; history_events: number };
  /** Aborted when the execution is ended from outside or the process stops. */
  signal: AbortSignal;
}

/** A failed state. Retry and Catch match `error`. */
export class StateError extends Error {
  /** Matched against `ErrorEquals`. */
  readonly error: string;
  override readonly cause: string;

  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.error = error;
    this.cause = cause;
  }
}

/** The maximum size of an input, output or result (quota: 256 KiB of UTF-8). */
export const maxPayloadBytes = 256 * 1024;

/** The maximum number of history events per execution (quota). */
const maxHistoryEvents = 25_000;

/** The default timeout of a task. */
const maxTaskSeconds = 99_999_999;

/** Node's longest timer. A longer one would fire immediately. */
const maxTimerMilliseconds = 2 ** 31 - 1;

/**
 * Runs an execution to its end and returns its output.
 * @throws {StateError} when it fails
 * @throws the signal's reason when it is aborted
 */
export async function runExecution(run: Run): Promise<Json> {
  let name: string | undefined = run.machine.StartAt;
  let output: Json = JSON.parse(run.execution.input);
  countEvents(run, 1);
  while (name !== undefined) {
    const state: StateMachine['States'][string] = run.machine.States[name]!;
    try {
      run.counts.transitions += 1;
      countEvents(run, 1);
      const step: Step =
        state.Type === 'Task'
          ? await runTask(state, output, run)
          : { next: state.Type === 'Choice' ? chooseNext(state, output) : undefined, output };
      countEvents(run, 1);
      output = step.output;
      name = step.next;
    } catch (error) {
      if (!(error instanceof StateError && error.error === 'States.Runtime')) throw error;
      throw runtimeError(`An error occurred while executing the state '${name}'. ${error.cause}`);
    }
  }
  countEvents(run, 1);
  return output;
}

interface Step {
  output: Json;
  /** Undefined at the end of the execution. */
  next: string | undefined;
}

/** Counts the history events that AWS would record. */
function countEvents({ counts }: Run, events: number): void {
  counts.history_events += events;
  if (counts.history_events >= maxHistoryEvents)
    throw runtimeError(`The execution reached the maximum number of history events (${maxHistoryEvents}).`);
}

function chooseNext({ Choices }: Choice, input: Json): string {
  const rule = Choices.find(({ Variable, StringEquals }) => valueAt(Variable, input) === StringEquals);
  if (rule) return rule.Next;
  throw new StateError('States.NoChoiceMatched', 'No rule of the choice matched.');
}

/** Runs a task with its retriers. Each retrier counts its own attempts, per visit of the state. */
async function runTask(task: Task, input: Json, run: Run): Promise<Step> {
  const retries = task.Retry.map(() => 0);
  for (;;) {
    try {
      return { next: task.Next, output: withResult(input, await runAttempt(task, input, run), task.ResultPath) };
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      // The first matching retrier decides, even when its attempts are used up.
      const index = task.Retry.findIndex(({ ErrorEquals }) => matches(ErrorEquals, error));
      const retrier = task.Retry[index];
      if (!retrier || retries[index]! >= retrier.MaxAttempts) return applyCatch(task, input, error);
      const delay = Math.min(retrier.IntervalSeconds * retrier.BackoffRate ** retries[index]!, retrier.MaxDelaySeconds);
      retries[index]! += 1;
      run.counts.transitions += 1;
      await sleepSeconds(delay, run, run.signal);
    }
  }
}

function applyCatch({ Catch }: Task, input: Json, error: StateError): Step {
  const catcher = Catch.find(({ ErrorEquals }) => matches(ErrorEquals, error));
  if (!catcher) throw error;
  return {
    next: catcher.Next,
    output: withResult(input, { Error: error.error, Cause: error.cause }, catcher.ResultPath),
  };
}

/** Neither `States.ALL` nor `States.TaskFailed` matches States.DataLimitExceeded. Nothing matches States.Runtime. */
function matches(errorEquals: readonly string[], { error }: StateError): boolean {
  if (error === 'States.Runtime') return false;
  if (errorEquals.includes(error)) return true;
  if (error === 'States.DataLimitExceeded') return false;
  return (
    errorEquals.includes('States.ALL') || (errorEquals.includes('States.TaskFailed') && error !== 'States.Timeout')
  );
}

/** Runs one attempt of a task, with its own token and timeout. */
async function runAttempt(task: Task, input: Json, run: Run): Promise<Json> {
  const { arn: Id, name: Name } = run.execution;
  const token = createToken(Id);
  const context = { $: input, $$: { Execution: { Id, Name }, Task: { Token: token } } };
  const payload = task.Parameters === undefined ? input : checkSize(evaluate(task.Parameters, context));
  const timeout = readTimeout(task, input);
  // Scheduled and started; the third event is the end.
  countEvents(run, 2);
  try {
    const work = waitsForToken(task)
      ? waitForToken(token, payload as JsonObject, run)
      : invokeFunction(task.Resource, payload, run);
    return checkSize(await withTimeout(timeout, work, run));
  } finally {
    run.tokens.delete(token);
    run.signal.throwIfAborted();
    countEvents(run, 1);
  }
}

async function invokeFunction(functionArn: string, payload: Json, run: Run): Promise<Json> {
  try {
    return asJson(await run.invokeFunction(functionArn, payload, run.execution.arn));
  } catch (error) {
    throw functionError(error);
  }
}

/** Makes the call and waits until the token is sent back. The call's own result is discarded. */
async function waitForToken(token: string, parameters: JsonObject, run: Run): Promise<Json> {
  for (const [, value] of attributesIn(parameters)) {
    for (const [type, text] of Object.entries(value as JsonObject)) {
      // AWS's own message (aws/aws-cdk#9181). It is States.Runtime, so Retry and Catch do not see it.
      if (typeof text !== 'string')
        throw runtimeError(
          `The Parameters '${JSON.stringify(parameters)}' could not be used to start the Task: [The value for the field '${type}' must be a STRING]`,
        );
    }
  }
  // The token may come back before the call returns.
  const result = new Promise<Json>((resolve) => run.tokens.set(token, resolve));
  await run.callAws('dynamodb:updateItem', parameters, run.execution.arn).catch((error: unknown) => {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    // Step Functions adds the suffix to service error names that lack it (developer guide, "AWS SDK service
    // integrations").
    throw new StateError(`DynamoDb.${name.replace(/(Exception)?$/, 'Exception')}`, message);
  });
  // Submitted.
  countEvents(run, 1);
  return result;
}

/** A token contains the execution's ARN, so that the service can distinguish an ended task from an unknown one. */
const createToken = (executionArn: string): string =>
  Buffer.from(`${randomBytes(16).toString('hex')}#${executionArn}`).toString('base64url');

/** Returns undefined for text that is not a token. */
export const executionOfToken = (token: string): string | undefined =>
  Buffer.from(token, 'base64url').toString().split('#')[1];

function readTimeout({ TimeoutSeconds, TimeoutSecondsPath }: Task, input: Json): number {
  if (TimeoutSecondsPath === undefined) return TimeoutSeconds ?? maxTaskSeconds;
  const seconds = valueAt(TimeoutSecondsPath, input);
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0) return seconds;
  throw runtimeError(`TimeoutSecondsPath is ${JSON.stringify(seconds)}, but must be a positive integer.`);
}

/**
 * Settles like `work`, or rejects after the timeout.
 * @throws {StateError} States.Timeout
 */
async function withTimeout<Result>(seconds: number, work: Promise<Result>, run: Run): Promise<Result> {
  const timer = new AbortController();
  const signal = AbortSignal.any([run.signal, timer.signal]);
  const timeout = sleepSeconds(seconds, run, signal).then((): never => {
    throw new StateError('States.Timeout', '');
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timer.abort();
  }
}

/** @throws the signal's reason when it is aborted */
export async function sleepSeconds(
  seconds: number,
  { now, sleep }: Pick<Environment, 'now' | 'sleep'>,
  signal: AbortSignal,
): Promise<void> {
  const end = now() + seconds * 1000;
  do {
    signal.throwIfAborted();
    await sleep(Math.min(Math.max(end - now(), 0), maxTimerMilliseconds), signal);
  } while (now() < end);
  signal.throwIfAborted();
}

/** @throws {StateError} States.Runtime when the path does not exist */
function valueAt(path: string, root: Json): Json {
  let value: Json | undefined = root;
  for (const name of path.split('.').slice(1))
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (value !== undefined) return value;
  throw runtimeError(`The path ${path} does not exist in the input.`);
}

/** Evaluates a payload template. */
function evaluate(template: Json, context: { $: Json; $$: JsonObject }): Json {
  if (Array.isArray(template)) return template.map((item) => evaluate(item, context));
  if (!isObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => {
      if (!key.endsWith('.$')) return [key, evaluate(value, context)];
      const path = String(value);
      return [key.slice(0, -2), valueAt(path, path.startsWith('$$') ? context.$$ : context.$)];
    }),
  );
}

/**
 * Inserts a result into the input at ResultPath.
 * @throws {StateError} States.ResultPathMatchFailure, States.DataLimitExceeded
 */
function withResult(input: Json, result: Json, path: string | null): Json {
  if (path === null) return input;
  const insert = (value: Json | undefined, [name, ...rest]: string[]): Json => {
    if (name === undefined) return result;
    if (value !== undefined && !isObject(value))
      throw new StateError('States.ResultPathMatchFailure', `The result cannot be placed at ${path} in the input.`);
    return { ...value, [name]: insert(value?.[name], rest) };
  };
  return checkSize(insert(input, path.split('.').slice(1)));
}

function checkSize(value: Json): Json {
  if (Buffer.byteLength(JSON.stringify(value)) <= maxPayloadBytes) return value;
  throw new StateError('States.DataLimitExceeded', `The data of the state has more than ${maxPayloadBytes} bytes.`);
}

/**
 * Converts the failure of an invocation. The cause is JSON for a function's error and text for an error of Lambda
 * itself. Errors of the sandbox have no trace.
 */
function functionError(error: unknown): StateError {
  const failure: Error & { trace?: string[] } = error instanceof Error ? error : new Error(String(error));
  const { name, message, trace = [] } = failure;
  if (name.startsWith('Lambda.')) return new StateError(name, message);
  const hasTrace = !/^(Sandbox|Runtime)\./.test(name);
  const cause = { errorType: name, errorMessage: message, ...(hasTrace ? { trace } : {}) };
  return new StateError(name, JSON.stringify(cause));
}

const runtimeError = (cause: string): StateError => new StateError('States.Runtime', cause);
const asJson = (value: unknown): Json => (value === undefined ? null : JSON.parse(JSON.stringify(value)));
