import { reserveQuestion } from '../queue/rate-limiter.ts';
import type { Measure } from '../shared/metrics.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { Held, Throttled } from '../wan/client/rejections.ts';

/** How long a question waits for its turn, in milliseconds; a list answers for many, so it waits where others give up. */
const PATIENCE_MILLISECONDS = { query: 2000, list: 6000 };

/** The code of what is throttled by our own clock: Wan was not asked. */
export const NO_TURN = 'no_turn';

/** What a question without a turn is answered. */
export const noTurn: Throttled = { outcome: 'throttled', code: NO_TURN, message: '', retryable: true, billed: false };

interface PacingServices {
  table: Table;
  measure: Measure;
  sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Wan as the workflow asks it: questions about tasks wait for their turn at the query clock, so that all together stay within
 * Wan's limit, and what Wan throttles or refuses the account is measured. A query without a turn within 2 s, or a list within 6 s,
 * is `throttled` with the code `NO_TURN`.
 */
export function pacedWan(wan: WanClient, { table, measure, sleep }: PacingServices): WanClient {
  const inTurn = async <Answer>(
    operation: keyof typeof PATIENCE_MILLISECONDS,
    ask: () => Promise<Answer>,
  ): Promise<Answer | Throttled> => {
    const turn = await reserveQuestion(table, PATIENCE_MILLISECONDS[operation]);
    if (turn === undefined) return noTurn;
    await sleep(turn - table.now());
    return ask();
  };
  const measured = async <Answer extends { outcome: string }>(operation: string, asked: Promise<Answer>) => {
    const answer = await asked;
    if (isRefused(answer, 'throttled') && answer.code !== NO_TURN) measure('WanThrottled', 1, { operation });
    if (isRefused(answer, 'held')) measure('LaneHeld', 1, { reason: answer.reason });
    return answer;
  };
  return {
    ...wan,
    createTask: (...call) => measured('submit', wan.createTask(...call)),
    queryTask: (...call) =>
      measured(
        'query',
        inTurn('query', () => wan.queryTask(...call)),
      ),
    listTasks: (...call) =>
      measured(
        'list',
        inTurn('list', () => wan.listTasks(...call)),
      ),
    uploadFile: (...call) => measured('upload', wan.uploadFile(...call)),
  };
}

function isRefused(answer: { outcome: string }, outcome: 'throttled'): answer is Throttled;
function isRefused(answer: { outcome: string }, outcome: 'held'): answer is Held;
function isRefused(answer: { outcome: string }, outcome: string): boolean {
  return answer.outcome === outcome;
}
