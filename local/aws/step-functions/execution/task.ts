import { randomUUID } from 'node:crypto';
import { type Clock, sleepUntil } from '../clock.ts';
import type { Invoke, Json } from '../contract.ts';
import { isObject } from '../definition/json.ts';
import { resourceKind } from '../definition/resource.ts';
import { StateError } from '../errors.ts';

export interface TaskOptions {
  resource: string;
  /** undefined: as long as the function takes. */
  timeout_seconds: number | undefined;
  execution_arn: string;
  invoke: Invoke;
  clock: Clock;
  /** Aborted when the execution ends or this process stops. */
  signal: AbortSignal;
}

/**
 * The work of a Task: its function is invoked with the effective input.
 * @throws {StateError} the function's failure, or States.Timeout
 * @throws the signal's reason when it is aborted
 */
export async function runTask(input: Json, options: TaskOptions): Promise<Json> {
  const call = new AbortController();
  const cancel = () => call.abort(options.signal.reason);
  options.signal.throwIfAborted();
  options.signal.addEventListener('abort', cancel);
  try {
    const answer = invokeResource(input, options, call.signal);
    return await Promise.race([answer, end(options, call.signal)]);
  } finally {
    options.signal.removeEventListener('abort', cancel);
    call.abort();
  }
}

/** Rejects at the time limit, and when the call is called off. */
async function end({ timeout_seconds, clock }: TaskOptions, signal: AbortSignal): Promise<never> {
  const seconds = timeout_seconds ?? Number.POSITIVE_INFINITY;
  if (seconds === Number.POSITIVE_INFINITY) {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  }
  await sleepUntil(clock.now() + seconds * 1000, clock, signal);
  throw new StateError('States.Timeout', '');
}

async function invokeResource(input: Json, options: TaskOptions, signal: AbortSignal): Promise<Json> {
  const context = { execution_arn: options.execution_arn, signal };
  const call = async (functionArn: string, payload: Json) => {
    try {
      return asJson(await options.invoke(functionArn, payload, context));
    } catch (error) {
      throw functionFailure(error);
    }
  };
  if (resourceKind(options.resource) === 'function') return call(options.resource, input);

  const parameters = isObject(input) ? input : {};
  const { FunctionName: name, Qualifier: qualifier, Payload: payload = {} } = parameters;
  if (typeof name !== 'string') throw new StateError('States.Runtime', 'FunctionName is not a string.');
  const result = await call(typeof qualifier === 'string' ? `${name}:${qualifier}` : name, payload);
  return {
    ExecutedVersion: '$LATEST',
    Payload: result,
    SdkHttpMetadata: { HttpHeaders: {}, HttpStatusCode: 200 },
    SdkResponseMetadata: { RequestId: randomUUID() },
    StatusCode: 200,
  };
}

const asJson = (value: unknown): Json => (value === undefined ? null : JSON.parse(JSON.stringify(value)));

/**
 * As Step Functions tells it: a function's own error as a JSON text, an error of Lambda itself as a sentence. Lambda's
 * sandbox (`Sandbox.Timedout`, `Runtime.ExitError`) has no trace to give.
 */
function functionFailure(error: unknown): StateError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name.startsWith('Lambda.')) return new StateError(name, message);
  const outsideOfCode = /^(Sandbox|Runtime)\./.test(name);
  const trace = error instanceof Error && 'trace' in error && Array.isArray(error.trace) ? error.trace : [];
  const cause = { errorType: name, errorMessage: message, ...(outsideOfCode ? {} : { trace }) };
  return new StateError(name, JSON.stringify(cause));
}
