import { type Connection, type NoResponse, query } from './connection.ts';
import { cancelResponse, isTaskId } from './response-schemas.ts';

export type CancelOutcome =
  | { outcome: 'canceled'; request_id?: string }
  /** The task is already running or has ended; Wan cancels only PENDING tasks. */
  | { outcome: 'not_pending'; request_id?: string }
  | NoResponse;

/**
 * Cancels a PENDING task. Can be repeated. After `unavailable` the task may still have been canceled: check with `queryTask`.
 * @throws TypeError for an invalid task id
 */
export async function cancelTask(connection: Connection, taskId: string, signal?: AbortSignal): Promise<CancelOutcome> {
  if (!isTaskId(taskId)) throw new TypeError('The task id is invalid.');
  const response = await query(connection, { method: 'POST', path: `/tasks/${taskId}/cancel`, kind: 'query', signal });
  if (response.outcome !== 'responded') {
    return 'code' in response && response.code === 'UnsupportedOperation'
      ? withId('not_pending', response.request_id)
      : response;
  }
  const parsed = cancelResponse.safeParse(response.body);
  return withId('canceled', parsed.data?.request_id);
}

const withId = <Outcome>(outcome: Outcome, request_id: string | undefined) => ({
  outcome,
  ...(request_id ? { request_id } : {}),
});
