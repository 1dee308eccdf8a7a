import { ApiProblem, problemInWords } from './api-problem.ts';

/** The calls that nobody pressed a button for: when they fail, one line says so until they succeed again. */
export interface Connection {
  /**
   * @param signal what the call may be aborted by: then nothing is wrong
   * @returns the call's answer
   */
  attempt<Answer>(call: () => Promise<Answer>, signal?: AbortSignal): Promise<Answer | 'failed'>;
  /** How long to wait before the next try: longer with each failure in a row, and never less than the server asked for. Seconds. */
  patience(): number;
}

const firstSeconds = 4;
const mostSeconds = 60;

/**
 * @param tell shows the line, or hides it where there is nothing to say
 * @param refused told when the key is not taken, which trying again would not mend
 */
export function createConnection(
  tell: (words: string | undefined) => void,
  refused: (problem: ApiProblem) => void,
): Connection {
  let failures = 0;
  let askedFor = 0;
  return {
    patience: () => Math.max(askedFor, Math.min(mostSeconds, firstSeconds * 2 ** Math.min(failures, 5))),
    async attempt(call, signal) {
      const before = failures;
      try {
        const answer = await call();
        failures = 0;
        askedFor = 0;
        tell(undefined);
        return answer;
      } catch (error) {
        if (signal?.aborted) return 'failed';
        if (!(error instanceof ApiProblem)) throw error;
        // Calls that fail together have failed once.
        failures = Math.min(failures, before) + 1;
        askedFor = error.retryAfter ?? 0;
        if (error.refusesKey) refused(error);
        else tell(problemInWords(error));
        return 'failed';
      }
    },
  };
}
