import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';

/**
 * A Lambda's structured log. What goes in: ids, statuses, codes. What never does: prompts, keys, URLs (an error's own
 * message is written by us or by the AWS SDK and holds none).
 */
export function createLogger(functionName: string): Logger {
  // Node keeps 10 frames, and an error of the AWS SDK has more within the SDK: our own would not be in the log.
  Error.stackTraceLimit = 50;
  return new Logger({ serviceName: functionName });
}

/** What an invocation is about: said by each of its lines. */
export type Subject = Readonly<Record<string, string | number>>;

/**
 * A handler all of whose lines carry Lambda's request id and what the invocation is about, and nothing of the invocation before.
 * @param subjectOf @default nothing
 */
export const inContext =
  <Event, Answer>(
    logger: Pick<Logger, 'addContext' | 'appendKeys' | 'resetKeys'>,
    handler: (event: Event) => Promise<Answer>,
    subjectOf: (event: Event) => Subject = () => ({}),
  ): ((event: Event, context: Context) => Promise<Answer>) =>
  async (event, context) => {
    logger.addContext(context);
    // Before, not after: what an invocation that was frozen in the middle left behind is gone as well.
    logger.resetKeys();
    logger.appendKeys({ ...subjectOf(event) });
    return handler(event);
  };

/** What of an unexpected error goes into a log. */
export const describeError = (error: unknown): { error: { name: string; message: string; stack?: string } } => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { error: { name, message, ...(stack ? { stack } : {}) } };
};
