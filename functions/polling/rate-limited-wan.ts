import { reserveQueries } from '../queue/rate-limiter.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { AccountRefused, Throttled } from '../wan/client/rejections.ts';

/** How long a query waits for its slot. After that it counts as throttled, and the state machine retries. */
const MAX_WAIT_MILLISECONDS = 20_000;

/** The outcome of a query that got no slot in time and was not sent. */
const rateLimited: Throttled = {
  outcome: 'throttled',
  code: 'rate_limited_here',
  message: '',
  retryable: true,
  billed: false,
};

/** Whether a query was not sent, because the rate limiter had no free slot. */
export const wasRateLimited = (response: { outcome: string; code?: string | undefined }): boolean =>
  response.outcome === rateLimited.outcome && response.code === rateLimited.code;

/** Wraps Wan's client and counts throttled calls and refusals of the account. */
export function wanWithMetrics(wan: WanClient, recordMetric: RecordMetric): WanClient {
  const measured = async <Response extends { outcome: string }>(operation: string, call: Promise<Response>) => {
    const response = await call;
    if (isRefused(response, 'throttled')) recordMetric('WanThrottled', 1, { operation });
    if (isRefused(response, 'account_refused')) recordMetric('QueuePaused', 1, { reason: response.reason });
    return response;
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
 * Wraps Wan's client: each query waits for a slot that the rate limiter reserves, so that all invocations together stay below the
 * limit. A query without a slot within 20 s is not sent and returns `throttled`.
 */
export function rateLimitedWan(
  wan: WanClient,
  { table, perSecond, sleep }: { table: Table; perSecond: number; sleep: (milliseconds: number) => Promise<void> },
): WanClient {
  const limited = async <Response>(send: () => Promise<Response>): Promise<Response | Throttled> => {
    const reserved = await reserveQueries(table, 1, { perSecond, maxWait: MAX_WAIT_MILLISECONDS });
    if (!reserved) return rateLimited;
    await sleep(Math.max(0, reserved.first - table.now()));
    return send();
  };
  return {
    ...wan,
    queryTask: (...call) => limited(() => wan.queryTask(...call)),
    listTasks: (...call) => limited(() => wan.listTasks(...call)),
  };
}

function isRefused(response: { outcome: string }, outcome: 'throttled'): response is Throttled;
function isRefused(response: { outcome: string }, outcome: 'account_refused'): response is AccountRefused;
function isRefused(response: { outcome: string }, outcome: string): boolean {
  return response.outcome === outcome;
}
