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
import { type Answer, answerOf, aRequest } from '../support.ts';

/** What a video whose Wan task this is has in its record; forgotten by Wan on 2 January. */
export const aTask = (status: TaskStatus): Task => aTaskOf({ id: randomUUID(), status, request_id: 'wan-request-id' });

export const aSubmission = (state: Submission['state'], attempt = 1): Submission => ({
  attempt,
  state,
  sent_at: '2026-01-01T00:00:00.000Z',
});

export const aPrice = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' } as const;

/** No answer of Wan's says how a task stands. */
export const noAnswers: readonly NoResponse[] = [
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
 * The actions over a table, with a Wan that answers what it is told to and executions that are only noted.
 * @param given.permits of each lane; many unless a test is about them
 */
export function theActions(
  table: Table,
  s3: Pick<S3Client, 'send'>,
  given: { monthlySpendingLimit?: number; permits?: number } = {},
) {
  const { executions, workflow } = scriptedExecutions();
  const surprises: unknown[] = [];
  const asked: string[] = [];
  const answers: { cancel?: CancelOutcome; query?: QueryOutcome } = {};
  const answer = <Outcome>(call: string, id: string, outcome: Outcome | undefined): Outcome => {
    asked.push(`${call} ${id}`);
    if (!outcome) throw new Error(`Wan was asked to ${call}.`);
    return outcome;
  };
  const services: RetryServices & DeleteServices = {
    table,
    workflow,
    limitsOf: (model) => ({ model, permits: given.permits ?? 100, submit_interval_ms: 1 }),
    monthlySpendingLimit: given.monthlySpendingLimit,
    wan: {
      cancelTask: async (id) => answer('cancel', id, answers.cancel),
      queryTask: async (id) => answer('query', id, answers.query),
    },
    readQueuePosition: async () => undefined,
    s3,
    videosBucket: 'videos',
    uploadsBucket: 'uploads',
    dispatch: async (video) => void (await dispatch(services, video.model, { include: video, limit: 1 })),
    onDispatchError: (_, error) => void surprises.push(error),
  };
  const route = (respond: typeof cancel | typeof retry | typeof deleteVideo) => {
    const handle = apiHandler(
      (request, caller) => respond(services, request, caller),
      (error) => surprises.push(error),
    );
    return async (id: string, request: Parameters<typeof aRequest>[0] = {}): Promise<Answer> =>
      answerOf(await handle(aRequest({ ...request, id })));
  };
  return {
    services,
    executions,
    surprises,
    /** Calls to Wan, as `cancel <task>` or `query <task>`. */
    asked,
    /** What Wan answers; a call it has no answer for is a surprise. */
    answers,
    cancel: route(cancel),
    retry: route(retry),
    remove: route(deleteVideo),
  };
}

/** Puts a video into the table, holding what one of its status holds. */
export async function stands(table: Table, status: Status, given: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = aVideo({ status, run: status === 'queued' ? 0 : 1, estimated_cost: aPrice, ...given }, table.now());
  await createVideo(table, video);
  return video;
}

/** As `stands`, with a permit and a reservation, as one has that was just being made. */
export async function standsBusy(table: Table, status: Status, given: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const video = await stands(table, status, given);
  await claimPermit(table, { model: video.model, permits: 100, submit_interval_ms: 1 }, video);
  await reserveSpending(table, video, undefined);
  return video;
}

export const read = async (table: Table, { id }: { id: string }): Promise<VideoRecord> => (await readVideo(table, id))!;
