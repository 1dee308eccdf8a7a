import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../clock.ts';
import type { FaultInjection } from '../fault-injection.ts';
import { ServiceError } from '../service-error.ts';
import type { Queues } from '../sqs/queues.ts';
import { createAsyncQueue } from './async-queue.ts';
import { type FunctionDefinition, functionNameOf, type Outcome } from './function-definition.ts';
import { createLogFiles } from './log-files.ts';
import { createSandboxPool, type SandboxPool } from './sandbox-pool.ts';

export interface LambdaOptions {
  /** Holds `invocations/` (asynchronous ones that have not completed) and `logs/`. */
  directory: string;
  clock: Clock;
  functions: readonly FunctionDefinition[];
  /** The functions' `AWS_ENDPOINT_URL`. */
  endpoint_url: string;
  /** Contains the dead-letter queues. */
  queues: Queues;
  /** The maximum number of workers per function. @default 8 */
  max_concurrency?: number | undefined;
  /** A worker is ended after it was idle for this long. @default 2 minutes */
  idle_milliseconds?: number;
  faults?: FaultInjection | undefined;
}

/**
 * The Lambda service for the template's functions. A function reference is a name or an ARN, with or without a
 * qualifier.
 */
export interface Lambda {
  /**
   * Invokes a function and waits for its outcome. `payload` is JSON.
   * @throws ServiceError for an unknown function, a payload that is too large, or more invocations than the reserved
   *   concurrency
   */
  invoke(functionReference: string, payload: string): Promise<Outcome & { request_id: string }>;
  /**
   * Accepts an asynchronous invocation. Once this resolves, it runs at least once, even after a kill, unless it is
   * `volatile`.
   * @throws ServiceError as `invoke`
   */
  accept(functionReference: string, payload: string, options?: { volatile?: boolean }): Promise<string>;
  /** The function behind a name or ARN. @throws ServiceError ResourceNotFoundException */
  find(functionReference: string): FunctionDefinition;
  /** Resumes the asynchronous invocations of an earlier process. */
  resume(): Promise<void>;
  /** Resolves when no asynchronous invocation is running. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Lambda's payload limits: 6 MB for synchronous invocations, 1 MB for asynchronous ones. */
const maxPayloadBytes = { synchronous: 6_291_456, asynchronous: 1_048_576 };

export function createLambda(options: LambdaOptions): Lambda {
  const { clock } = options;
  const logs = createLogFiles(path.join(options.directory, 'logs'), clock.now);
  const byName = new Map(options.functions.map((definition) => [definition.name, definition]));
  const pools = new Map<string, SandboxPool>();
  /** Invocations in progress, of all functions. */
  let running = 0;

  const findByName = (reference: string) => byName.get(functionNameOf(reference));
  const find = (reference: string): FunctionDefinition => {
    const definition = findByName(reference);
    if (definition) return definition;
    throw new ServiceError('ResourceNotFoundException', `Function not found: ${reference}`, 404);
  };
  const poolOf = (definition: FunctionDefinition): SandboxPool => {
    const existing = pools.get(definition.name);
    if (existing) return existing;
    const pool = createSandboxPool({
      definition,
      clock,
      endpoint_url: options.endpoint_url,
      max_sandboxes: options.max_concurrency ?? 8,
      idle_milliseconds: options.idle_milliseconds ?? 120_000,
      onLog: (text, requestId) => logs.write(definition.name, text, requestId),
      onInvocation: options.faults?.onInvocation,
    });
    pools.set(definition.name, pool);
    return pool;
  };
  const run = async (reference: string, request_id: string, payload: string): Promise<Outcome> => {
    const definition = find(reference);
    const function_arn = reference.startsWith('arn:') ? reference : definition.arn;
    const startedAt = clock.now();
    const { accountConcurrency = Number.POSITIVE_INFINITY, onThrottle } = options.faults ?? {};
    if (running >= accountConcurrency) {
      onThrottle?.(definition.name);
      const message = `Rate Exceeded: the account has ${accountConcurrency} concurrent executions`;
      throw new ServiceError('TooManyRequestsException', message, 429);
    }
    running += 1;
    const outcome = await poolOf(definition)
      .run({ request_id, function_arn, payload })
      .finally(() => {
        running -= 1;
      });
    const result = 'error' in outcome ? `${outcome.error.errorType}: ${outcome.error.errorMessage}` : 'ok';
    logs.write(definition.name, `REPORT ${clock.now() - startedAt} ms ${result}`, request_id);
    return outcome;
  };
  const checkSize = (payload: string, kind: keyof typeof maxPayloadBytes) => {
    const bytes = Buffer.byteLength(payload);
    if (bytes <= maxPayloadBytes[kind]) return;
    const message = `Request must be smaller than ${maxPayloadBytes[kind]} bytes for the InvokeFunction operation`;
    throw new ServiceError('RequestTooLargeException', message, 413);
  };

  const queue = createAsyncQueue({
    directory: path.join(options.directory, 'invocations'),
    clock,
    run: ({ function_arn, request_id, payload }) => run(function_arn, request_id, payload),
    hasFunction: (functionArn) => findByName(functionArn) !== undefined,
    retryLimits(functionArn) {
      const { maximum_retry_attempts = 2, maximum_event_age_seconds = 21_600 } = find(functionArn).async_settings;
      return { maximum_retry_attempts, maximum_event_age_seconds };
    },
    async deadLetter({ function_arn, request_id, payload }, { errorMessage }) {
      const { dead_letter_arn } = find(function_arn).async_settings;
      if (dead_letter_arn === undefined) return;
      const attributes = { RequestID: request_id, ErrorCode: '200', ErrorMessage: errorMessage };
      await options.queues.send(dead_letter_arn, payload, attributes);
    },
  });

  return {
    find,
    async invoke(reference, payload) {
      checkSize(payload, 'synchronous');
      const request_id = randomUUID();
      return { ...(await run(reference, request_id, payload)), request_id };
    },
    async accept(reference, payload, { volatile = false } = {}) {
      checkSize(payload, 'asynchronous');
      const definition = find(reference);
      const request_id = randomUUID();
      const function_arn = reference.startsWith('arn:') ? reference : definition.arn;
      const deliveries = options.faults?.deliveryDelays?.(definition.name, payload) ?? [0];
      for (const [index, delay] of deliveries.entries()) {
        const id = index === 0 ? request_id : randomUUID();
        await queue.accept({ request_id: id, function_arn, payload, volatile }, delay);
      }
      return request_id;
    },
    resume: () => queue.resume(),
    idle: () => queue.idle(),
    async close() {
      await queue.close();
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
