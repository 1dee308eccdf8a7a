import { ApiProblem } from './api.ts';
import { find, say } from './dom.ts';

/** The calls that nobody pressed a button for: when they fail, one line says so until they succeed again. */
export interface Connection {
  /** @returns the call's answer; undefined when it failed */
  attempt<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined>;
  /** How long to wait before the next try: longer with each failure in a row. Seconds. */
  patience(): number;
}

const firstSeconds = 4;
const mostSeconds = 60;

/** @param refused told when the key is not taken, which trying again would not mend */
export function createConnection(page: ParentNode, refused: (problem: ApiProblem) => void): Connection {
  const line = find(page, '#connection', HTMLElement);
  let failures = 0;
  return {
    patience: () => Math.min(mostSeconds, firstSeconds * 2 ** Math.min(failures, 5)),
    async attempt(call) {
      try {
        const answer = await call();
        failures = 0;
        say(line, undefined);
        return answer;
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        failures += 1;
        if (error.refusesKey) refused(error);
        else say(line, `${error.message} ${error.detail}`);
        return undefined;
      }
    },
  };
}
