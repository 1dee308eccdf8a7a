import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Clock } from '../clock.ts';
import type { Faults } from '../faults.ts';
import { ServiceError } from '../service-error.ts';
import type { Queues } from '../sqs/queues.ts';
import { createAsyncQueue } from './async-queue.ts';
import { type FunctionDefinition, functionNameOf, type Outcome } from './function-definition.ts';
import { createLogFiles } from './log-files.ts';
import { createSandboxPool, type SandboxPool } from './sandbox-pool.ts';

export interface LambdaOptions {
  /** Holds `invocations/` (the asynchronous ones that are not settled) and `logs/`. */
  directory: string;
  clock: Clock;
  functions: readonly FunctionDefinition[];
  /** What the functions find in `AWS_ENDPOINT_URL`. */
  endpoint_url: string;
  /** Where events end that no try could handle. */
  queues: Queues;
  /** Workers at once per function. @default 8 */
  largest_concurrency?: number | undefined;
  /** A worker that was not used for so long is ended. @default 2 minutes */
  idle_milliseconds?: number;
  /** @default none */
  faults?: Faults | undefined;
}

/** The Lambda service for the template's functions. A function is named by its name or ARN, with or without a qualifier. */
export interface Lambda {
  /**
   * Invokes and waits for the outcome. `payload` is JSON.
   * @throws ServiceError when the service refuses: unknown function, too large, above the reserved concurrency
   */
  invoke(functionReference: string, payload: string): Promise<Outcome & { request_id: string }>;
  /**
   * Accepts an invocation; once this resolves it runs at least once, also after a kill, unless it is `volatile`.
   * @throws ServiceError as `invoke`
   */
  accept(functionReference: string, payload: string, options?: { volatile?: boolean }): Promise<string>;
  /** The function behind a name or ARN. @throws ServiceError ResourceNotFoundException */
  find(functionReference: string): FunctionDefinition;
  /** Takes up the asynchronous invocations that an earlier process left. */
  resume(): Promise<void>;
  /** Resolves when no asynchronous invocation is being tried right now. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Lambda's request limits: 6 MB when the caller waits, 1 MB when not. */
const largestPayloadBytes = { synchronous: 6_291_456, asynchronous: 1_048_576 };

export function createLambda(options: LambdaOptions): Lambda {
  const { clock } = options;
  const logs = createLogFiles(path.join(options.directory, 'logs'), clock.now);
  const byName = new Map(options.functions.map((definition) => [definition.name, definition]));
  const pools = new Map<string, SandboxPool>();

  const lookUp = (reference: string) => byName.get(functionNameOf(reference));
  const find = (reference: string): FunctionDefinition => {
    const definition = lookUp(reference);
    if (definition) return definition;
    throw new ServiceError('ResourceNotFoundException', 404, `Function not found: ${reference}`);
  };
  const poolOf = (definition: FunctionDefinition): SandboxPool => {
    const existing = pools.get(definition.name);
    if (existing) return existing;
    const pool = createSandboxPool({
      definition,
      clock,
      endpoint_url: options.endpoint_url,
      largest: options.largest_concurrency ?? 8,
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
    const started = clock.now();
    const outcome = await poolOf(definition).run({ request_id, function_arn, payload });
    const ending = 'error' in outcome ? `${outcome.error.errorType}: ${outcome.error.errorMessage}` : 'ok';
    logs.write(definition.name, `REPORT ${clock.now() - started} ms ${ending}`, request_id);
    return outcome;
  };
  const checkSize = (payload: string, kind: keyof typeof largestPayloadBytes) => {
    const bytes = Buffer.byteLength(payload);
    if (bytes <= largestPayloadBytes[kind]) return;
    const why = `Request must be smaller than ${largestPayloadBytes[kind]} bytes for the InvokeFunction operation`;
    throw new ServiceError('RequestTooLargeException', 413, why);
  };

  const queue = createAsyncQueue({
    directory: path.join(options.directory, 'invocations'),
    clock,
    run: ({ function_arn, request_id, payload }) => run(function_arn, request_id, payload),
    knows: (functionArn) => lookUp(functionArn) !== undefined,
    limits(functionArn) {
      const { maximum_retry_attempts = 2, maximum_event_age_seconds = 21_600 } = find(functionArn).asynchronous;
      return { maximum_retry_attempts, maximum_event_age_seconds };
    },
    async giveUp({ function_arn, request_id, payload }, { errorMessage }) {
      const { dead_letter_arn } = find(function_arn).asynchronous;
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
      const deliveries = options.faults?.deliveriesOf?.(definition.name, payload) ?? [0];
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
