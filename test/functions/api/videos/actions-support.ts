import { randomUUID } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { apiHandler } from '../../../../functions/api/http/handler.ts';
import { cancel } from '../../../../functions/api/videos/cancel.ts';
import { type DeleteServices, deleteVideo } from '../../../../functions/api/videos/delete.ts';
import { type RetryServices, retry } from '../../../../functions/api/videos/retry.ts';
import { reserveSpending } from '../../../../functions/ledger/spending.ts';
import { dispatch } from '../../../../functions/queue/dispatch.ts';
import { claimPermit } from '../../../../functions/queue/model-queue.ts';
import type { Status, Submission, Task, VideoRecord } from '../../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import type { CancelOutcome } from '../../../../functions/wan/client/cancel-task.ts';
import type { NoResponse } from '../../../../functions/wan/client/connection.ts';
import type { QueryOutcome, TaskStatus } from '../../../../functions/wan/client/query-task.ts';
import { aTask as aTaskOf, aVideo } from '../../../support/videos.ts';
import { scriptedExecutions } from '../../workflow/support.ts';
import { type ApiResponse, aRequest, responseOf } from '../support.ts';

/** A task that expires at Wan on 2 January. */
export const aTask = (status: TaskStatus): Task => aTaskOf({ id: randomUUID(), status, request_id: 'wan-request-id' });

export const aSubmission = (state: Submission['state'], attempt = 1): Submission => ({
  attempt,
  state,
  sent_at: '2026-01-01T00:00:00.000Z',
});

export const aPrice = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' } as const;

/** Calls to Wan that return no task status. */
export const failedCalls: readonly NoResponse[] = [
  { outcome: 'unavailable', cause: 'http_502', retryable: true, billed: false },
  { outcome: 'throttled', code: 'Throttling', message: '', retryable: true, billed: false },
  {
    outcome: 'account_refused',
    reason: 'invalid_key',
    code: 'InvalidApiKey',
    message: '',
    retryable: true,
    billed: false,
  },
];

/**
 * The action routes over a table, with a scripted Wan and recorded executions.
 * @param overrides.permits per model queue
 */
export function createActions(
  table: Table,
  s3: Pick<S3Client, 'send'>,
  overrides: { monthlySpendingLimit?: number; permits?: number } = {},
) {
  const { executions, workflow } = scriptedExecutions();
  const unexpectedErrors: unknown[] = [];
  const wanCalls: string[] = [];
  const wanResponses: { cancel?: CancelOutcome; query?: QueryOutcome } = {};
  const respond = <Outcome>(call: string, id: string, outcome: Outcome | undefined): Outcome => {
    wanCalls.push(`${call} ${id}`);
    if (!outcome) throw new Error(`Unexpected call to Wan: ${call}.`);
    return outcome;
  };
  const services: RetryServices & DeleteServices = {
    table,
    workflow,
    limitsOf: (model) => ({ model, permits: overrides.permits ?? 100, submit_interval_ms: 1 }),
    monthlySpendingLimit: overrides.monthlySpendingLimit,
    wan: {
      cancelTask: async (id) => respond('cancel', id, wanResponses.cancel),
      queryTask: async (id) => respond('query', id, wanResponses.query),
    },
    readQueuePosition: async () => undefined,
    s3,
    publish: async () => undefined,
    videosBucket: 'videos',
    uploadsBucket: 'uploads',
    dispatch: async (video) => void (await dispatch(services, video.model, { include: video, limit: 1 })),
    onDispatchError: (_, error) => void unexpectedErrors.push(error),
  };
  const route = (action: typeof cancel | typeof retry | typeof deleteVideo) => {
    const handle = apiHandler(
      (request, caller) => action(services, request, caller),
      (error) => unexpectedErrors.push(error),
    );
    return async (id: string, request: Parameters<typeof aRequest>[0] = {}): Promise<ApiResponse> =>
      responseOf(await handle(aRequest({ ...request, id })));
  };
  return {
    services,
    executions,
    unexpectedErrors,
    /** Calls to Wan, as `cancel <task>` or `query <task>`. */
    wanCalls,
    /** The outcomes of calls to Wan; a call without one throws. */
    wanResponses,
    cancel: route(cancel),
    retry: route(retry),
    remove: route(deleteVideo),
  };
}

/** Creates a video in the table. */
export async function storeVideo(
  table: Table,
  status: Status,
  overrides: Partial<VideoRecord> = {},
): Promise<VideoRecord> {
  const video = aVideo({ status, run: status === 'queued' ? 0 : 1, estimated_cost: aPrice, ...overrides }, table.now());
  await createVideo(table, video);
  return video;
}

/** Creates a video with a permit and a reservation. */
export async function storeActiveVideo(
  table: Table,
  status: Status,
  overrides: Partial<VideoRecord> = {},
): Promise<VideoRecord> {
  const video = await storeVideo(table, status, overrides);
  await claimPermit(table, { model: video.model, permits: 100, submit_interval_ms: 1 }, video);
  await reserveSpending(table, video, undefined);
  return video;
}

export const read = async (table: Table, { id }: { id: string }): Promise<VideoRecord> => (await readVideo(table, id))!;
