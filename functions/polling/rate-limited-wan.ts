import { reserveQueries } from '../queue/rate-limiter.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { AccountRefused, Throttled } from '../wan/client/rejections.ts';

/** How long a query waits for its moment. The state machine repeats what had none by then. */
const MAX_WAIT_MILLISECONDS = 20_000;

/** The answer to a query that had no moment in time: Wan was not asked. */
const rateLimited: Throttled = {
  outcome: 'throttled',
  code: 'rate_limited_here',
  message: '',
  retryable: true,
  billed: false,
};

/** Whether Wan was not asked at all. */
export const wasRateLimited = (answer: { outcome: string; code?: string | undefined }): boolean =>
  answer.outcome === rateLimited.outcome && answer.code === rateLimited.code;

/** Wan's client that counts what Wan throttles or refuses the account. */
export function wanWithMetrics(wan: WanClient, recordMetric: RecordMetric): WanClient {
  const measured = async <Answer extends { outcome: string }>(operation: string, asked: Promise<Answer>) => {
    const answer = await asked;
    if (isRefused(answer, 'throttled')) recordMetric('WanThrottled', 1, { operation });
    if (isRefused(answer, 'account_refused')) recordMetric('QueuePaused', 1, { reason: answer.reason });
    return answer;
  };
  return {
    ...wan,
    createTask: (...call) => measured('submit', wan.createTask(...call)),
    queryTask: (...call) => measured('query', wan.queryTask(...call)),
    listTasks: (...call) => measured('list', wan.listTasks(...call)),
    uploadFile: (...call) => measured('upload', wan.uploadFile(...call)),
  };
}

/**
 * Wan's client as the workflow uses it: each query waits for a moment that the rate limiter reserves, so that all invocations together
 * stay below the limit. A query without a moment within 20 s is `throttled`, and Wan is not asked.
 */
export function rateLimitedWan(
  wan: WanClient,
  { table, perSecond, sleep }: { table: Table; perSecond: number; sleep: (milliseconds: number) => Promise<void> },
): WanClient {
  const limited = async <Answer>(ask: () => Promise<Answer>): Promise<Answer | Throttled> => {
    const reserved = await reserveQueries(table, 1, { perSecond, maxWait: MAX_WAIT_MILLISECONDS });
    if (!reserved) return rateLimited;
    await sleep(Math.max(0, reserved.first - table.now()));
    return ask();
  };
  return {
    ...wan,
    queryTask: (...call) => limited(() => wan.queryTask(...call)),
    listTasks: (...call) => limited(() => wan.listTasks(...call)),
  };
}

function isRefused(answer: { outcome: string }, outcome: 'throttled'): answer is Throttled;
function isRefused(answer: { outcome: string }, outcome: 'account_refused'): answer is AccountRefused;
function isRefused(answer: { outcome: string }, outcome: string): boolean {
  return answer.outcome === outcome;
}
