import { ApiProblem, formatProblem } from './api-problem.ts';

/** Background requests: when they fail, the page shows a notice until one succeeds. */
export interface Connection {
  /**
   * @param signal may abort the call, which is no failure
   * @returns the result of the call
   */
  attempt<Result>(call: () => Promise<Result>, signal?: AbortSignal): Promise<Result | 'failed'>;
  /** Seconds until the next attempt: doubles with each failure in a row, and is never less than the server's Retry-After. */
  retryDelay(): number;
}

const firstSeconds = 4;
const maxSeconds = 60;

/**
 * @param notify shows a message; undefined when a call succeeded
 * @param keyRejected called when the API rejects the key, which a retry would not fix
 */
export function createConnection(
  notify: (message: string | undefined) => void,
  keyRejected: (problem: ApiProblem) => void,
): Connection {
  let failures = 0;
  let retryAfter = 0;
  return {
    retryDelay: () => Math.max(retryAfter, Math.min(maxSeconds, firstSeconds * 2 ** Math.min(failures, 5))),
    async attempt(call, signal) {
      const before = failures;
      try {
        const result = await call();
        failures = 0;
        retryAfter = 0;
        notify(undefined);
        return result;
      } catch (error) {
        if (signal?.aborted) return 'failed';
        if (!(error instanceof ApiProblem)) throw error;
        // Concurrent failures count once.
        failures = Math.min(failures, before) + 1;
        retryAfter = error.retryAfter ?? 0;
        if (error.rejectsKey) keyRejected(error);
        else notify(formatProblem(error));
        return 'failed';
      }
    },
  };
}
