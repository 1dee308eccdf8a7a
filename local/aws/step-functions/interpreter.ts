import { randomBytes } from 'node:crypto';
import {
  attributesIn,
  type Choice,
  type Json,
  type JsonObject,
  type StateMachine,
  type Task,
  waitsForToken,
} from './definition.ts';

/** What an execution needs from outside. */
export interface Environment {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves after `milliseconds`, or as soon as `signal` is aborted. */
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /**
   * Runs a function. A rejection is its failure: `name` is the error's name (the function's `errorType`, or one of AWS's own such as
   * `Lambda.TooManyRequestsException` and `Sandbox.Timedout`), `message` its text, `trace` the lines for the cause, where it has one.
   */
  invoke: (functionArn: string, payload: Json, executionArn: string) => Promise<unknown>;
  /** Calls an action of AWS. A rejection's `name` is the service's error code. */
  callAws: (action: 'dynamodb:updateItem', parameters: JsonObject, executionArn: string) => Promise<unknown>;
}

/** One run of a state machine. */
export interface Run extends Environment {
  machine: StateMachine;
  execution: { arn: string; name: string; input: string };
  /** Task tokens that can still be answered; the interpreter adds and removes its own. */
  tokens: Map<string, (output: Json) => void>;
  /** What AWS bills and limits; the interpreter counts. */
  counts: { transitions: number; history_events: number };
  /** Aborted when something else has ended the execution, or the process stops. */
  signal: AbortSignal;
}

/** A state's failure, as Retry, Catch and the end of the execution see it. */
export class StateError extends Error {
  /** What `ErrorEquals` is compared with. */
  readonly error: string;
  override readonly cause: string;

  constructor(error: string, cause: string) {
    super(`${error}: ${cause}`);
    this.error = error;
    this.cause = cause;
  }
}

/** The largest input, output or result (quota: 256 KiB as UTF-8). */
export const mostBytes = 256 * 1024;

/** An execution with this many history events ends (quota). */
const mostHistoryEvents = 25_000;

/** A task without a timeout of its own may take this long. */
const longestTaskSeconds = 99_999_999;

/** Node's longest timer; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Runs an execution to its end.
 * @returns its output
 * @throws {StateError} how it failed
 * @throws the signal's reason when it is aborted
 */
export async function runExecution(run: Run): Promise<Json> {
  let name: string | undefined = run.machine.StartAt;
  let output: Json = JSON.parse(run.execution.input);
  count(run, 1);
  while (name !== undefined) {
    const state: StateMachine['States'][string] = run.machine.States[name]!;
    try {
      run.counts.transitions += 1;
      count(run, 1);
      const step: Step =
        state.Type === 'Task'
          ? await runTask(state, output, run)
          : { next: state.Type === 'Choice' ? choose(state, output) : undefined, output };
      count(run, 1);
      output = step.output;
      name = step.next;
    } catch (error) {
      if (!(error instanceof StateError && error.error === 'States.Runtime')) throw error;
      throw runtimeError(`An error occurred while executing the state '${name}'. ${error.cause}`);
    }
  }
  count(run, 1);
  return output;
}

interface Step {
  output: Json;
  /** undefined when the execution ends here. */
  next: string | undefined;
}

/** Adds to the history events that AWS would have recorded. */
function count({ counts }: Run, events: number): void {
  counts.history_events += events;
  if (counts.history_events >= mostHistoryEvents)
    throw runtimeError(`The execution reached the maximum number of history events (${mostHistoryEvents}).`);
}

function choose({ Choices }: Choice, input: Json): string {
  const rule = Choices.find(({ Variable, StringEquals }) => valueAt(Variable, input) === StringEquals);
  if (rule) return rule.Next;
  throw new StateError('States.NoChoiceMatched', 'No rule of the choice matched.');
}

/** Runs a task as often as its retriers say. Each of them counts its own attempts, for this one visit of the state. */
async function runTask(task: Task, input: Json, run: Run): Promise<Step> {
  const used = task.Retry.map(() => 0);
  for (;;) {
    try {
      return { next: task.Next, output: withResult(input, await attempt(task, input, run), task.ResultPath) };
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      // The first retrier that names the error decides, even when its attempts are used up.
      const index = task.Retry.findIndex(({ ErrorEquals }) => matches(ErrorEquals, error));
      const retrier = task.Retry[index];
      if (!retrier || used[index]! >= retrier.MaxAttempts) return caught(task, input, error);
      const delay = Math.min(retrier.IntervalSeconds * retrier.BackoffRate ** used[index]!, retrier.MaxDelaySeconds);
      used[index]! += 1;
      run.counts.transitions += 1;
      await sleepSeconds(delay, run, run.signal);
    }
  }
}

function caught({ Catch }: Task, input: Json, error: StateError): Step {
  const catcher = Catch.find(({ ErrorEquals }) => matches(ErrorEquals, error));
  if (!catcher) throw error;
  return {
    next: catcher.Next,
    output: withResult(input, { Error: error.error, Cause: error.cause }, catcher.ResultPath),
  };
}

/** `States.ALL` and `States.TaskFailed` leave the terminal errors alone; nothing handles States.Runtime. */
function matches(errorEquals: readonly string[], { error }: StateError): boolean {
  if (error === 'States.Runtime') return false;
  if (errorEquals.includes(error)) return true;
  if (error === 'States.DataLimitExceeded') return false;
  return (
    errorEquals.includes('States.ALL') || (errorEquals.includes('States.TaskFailed') && error !== 'States.Timeout')
  );
}

/** One attempt at a task, with a token and a timeout of its own. */
async function attempt(task: Task, input: Json, run: Run): Promise<Json> {
  const { arn: Id, name: Name } = run.execution;
  const token = createToken(Id);
  const context = { $: input, $$: { Execution: { Id, Name }, Task: { Token: token } } };
  const payload = task.Parameters === undefined ? input : limited(evaluate(task.Parameters, context));
  const timeout = timeoutOf(task, input);
  // Scheduled and started, then succeeded, failed or timed out.
  count(run, 2);
  try {
    const work = waitsForToken(task)
      ? untilAnswered(token, payload as JsonObject, run)
      : invoke(task.Resource, payload, run);
    return limited(await within(timeout, work, run));
  } finally {
    run.tokens.delete(token);
    run.signal.throwIfAborted();
    count(run, 1);
  }
}

async function invoke(functionArn: string, payload: Json, run: Run): Promise<Json> {
  try {
    return asJson(await run.invoke(functionArn, payload, run.execution.arn));
  } catch (error) {
    throw functionFailure(error);
  }
}

/** Makes the call, then waits for the token's answer: what the call itself returns is dropped. */
async function untilAnswered(token: string, parameters: JsonObject, run: Run): Promise<Json> {
  for (const [, value] of attributesIn(parameters)) {
    for (const [type, text] of Object.entries(value as JsonObject)) {
      // The wording is AWS's own (aws/aws-cdk#9181). It is States.Runtime, so no Retry or Catch sees it.
      if (typeof text !== 'string')
        throw runtimeError(
          `The Parameters '${JSON.stringify(parameters)}' could not be used to start the Task: [The value for the field '${type}' must be a STRING]`,
        );
    }
  }
  // The answer can come before the call returns.
  const answer = new Promise<Json>((resolve) => run.tokens.set(token, resolve));
  await run.callAws('dynamodb:updateItem', parameters, run.execution.arn).catch((error: unknown) => {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    // Step Functions adds the suffix where the service's own name has none (developer guide, "AWS SDK service integrations").
    throw new StateError(`DynamoDb.${name.replace(/(Exception)?$/, 'Exception')}`, message);
  });
  // Submitted.
  count(run, 1);
  return answer;
}

/** A token names its execution, so that the service can say what became of its task. */
const createToken = (executionArn: string): string =>
  Buffer.from(`${randomBytes(16).toString('hex')}#${executionArn}`).toString('base64url');

/** undefined for a text that is not a token. */
export const executionOfToken = (token: string): string | undefined =>
  Buffer.from(token, 'base64url').toString().split('#')[1];

function timeoutOf({ TimeoutSeconds, TimeoutSecondsPath }: Task, input: Json): number {
  if (TimeoutSecondsPath === undefined) return TimeoutSeconds ?? longestTaskSeconds;
  const seconds = valueAt(TimeoutSecondsPath, input);
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0) return seconds;
  throw runtimeError(`TimeoutSecondsPath leads to ${JSON.stringify(seconds)}, which is not a positive whole number.`);
}

/**
 * Settles like `work`, or rejects when its time is over.
 * @throws {StateError} States.Timeout
 */
async function within<Result>(seconds: number, work: Promise<Result>, run: Run): Promise<Result> {
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
    await sleep(Math.min(Math.max(end - now(), 0), longestTimer), signal);
  } while (now() < end);
  signal.throwIfAborted();
}

/** @throws {StateError} States.Runtime when there is nothing at the path */
function valueAt(path: string, root: Json): Json {
  let value: Json | undefined = root;
  for (const name of path.split('.').slice(1))
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  if (value !== undefined) return value;
  throw runtimeError(`The path ${path} leads to nothing in the input.`);
}

/** The value of a payload template. */
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
 * The input with a result in the place that ResultPath names.
 * @throws {StateError} States.ResultPathMatchFailure, States.DataLimitExceeded
 */
function withResult(input: Json, result: Json, path: string | null): Json {
  if (path === null) return input;
  const place = (value: Json | undefined, [name, ...rest]: string[]): Json => {
    if (name === undefined) return result;
    if (value !== undefined && !isObject(value))
      throw new StateError('States.ResultPathMatchFailure', `The result cannot be placed at ${path} in the input.`);
    return { ...value, [name]: place(value?.[name], rest) };
  };
  return limited(place(input, path.split('.').slice(1)));
}

function limited(value: Json): Json {
  if (Buffer.byteLength(JSON.stringify(value)) <= mostBytes) return value;
  throw new StateError('States.DataLimitExceeded', `The data of the state has more than ${mostBytes} bytes.`);
}

/** A function's own error as JSON, an error of Lambda itself as a sentence. Lambda's sandbox has no trace to give. */
function functionFailure(error: unknown): StateError {
  const failure: Error & { trace?: string[] } = error instanceof Error ? error : new Error(String(error));
  const { name, message, trace = [] } = failure;
  if (name.startsWith('Lambda.')) return new StateError(name, message);
  const hasTrace = !/^(Sandbox|Runtime)\./.test(name);
  const cause = { errorType: name, errorMessage: message, ...(hasTrace ? { trace } : {}) };
  return new StateError(name, JSON.stringify(cause));
}

const runtimeError = (cause: string): StateError => new StateError('States.Runtime', cause);
const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const asJson = (value: unknown): Json => (value === undefined ? null : JSON.parse(JSON.stringify(value)));
