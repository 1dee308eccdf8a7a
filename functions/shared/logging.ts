import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';

/**
 * Returns a function's structured logger. Log lines hold ids, statuses and codes, never prompts, keys or URLs. Error messages come from
 * firstframe or the AWS SDK and contain no such data.
 */
export function createLogger(functionName: string): Logger {
  // Node's default is 10 frames. Errors of the AWS SDK have more than that within the SDK, which would hide our own frames.
  Error.stackTraceLimit = 50;
  return new Logger({ serviceName: functionName });
}

/** Fields that identify the subject of an invocation in all its log lines. */
export type Subject = Readonly<Record<string, string | number>>;

/**
 * Wraps a handler so that all its log lines carry Lambda's request id and the invocation's subject.
 * @param subjectOf @default - no fields
 */
export const inContext =
  <Event, Response>(
    logger: Pick<Logger, 'addContext' | 'appendKeys' | 'resetKeys'>,
    handler: (event: Event) => Promise<Response>,
    subjectOf: (event: Event) => Subject = () => ({}),
  ): ((event: Event, context: Context) => Promise<Response>) =>
  async (event, context) => {
    logger.addContext(context);
    // Resets before the invocation rather than after it, because a previous one may have been frozen before its end.
    logger.resetKeys();
    logger.appendKeys({ ...subjectOf(event) });
    return handler(event);
  };

/** Returns the log fields of an unexpected error. */
export const describeError = (error: unknown): { error: { name: string; message: string; stack?: string } } => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { error: { name, message, ...(stack ? { stack } : {}) } };
};
