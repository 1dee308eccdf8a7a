import { Logger } from '@aws-lambda-powertools/logger';

/**
 * A Lambda's structured log. What goes in: ids, statuses, codes. What never does: prompts, keys, URLs (an error's own
 * message is written by us or by the AWS SDK and holds none).
 */
export const createLogger = (functionName: string): Logger => new Logger({ serviceName: functionName });

/** What of an unexpected error goes into a log. */
export const describeError = (error: unknown): { error: { name: string; message: string; stack?: string } } => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { error: { name, message, ...(stack ? { stack } : {}) } };
};
