import { type Connection, type NoResponse, query } from './connection.ts';
import { cancelResponse, isTaskId } from './response-schemas.ts';

export type CancelOutcome =
  | { outcome: 'canceled'; request_id?: string }
  /** The task runs already or has ended; Wan cancels only what is PENDING. */
  | { outcome: 'not_pending'; request_id?: string }
  | NoResponse;

/**
 * Cancels a task that is still PENDING. May be repeated; when the outcome is
 * `unavailable` the task may be canceled all the same: `queryTask` tells.
 *
 * @throws TypeError for an id that no task can have
 */
export async function cancelTask(connection: Connection, taskId: string, signal?: AbortSignal): Promise<CancelOutcome> {
  if (!isTaskId(taskId)) throw new TypeError('This is not the id of a task.');
  const asked = await query(connection, { method: 'POST', path: `/tasks/${taskId}/cancel`, kind: 'query', signal });
  if (asked.outcome !== 'answered') {
    return 'code' in asked && asked.code === 'UnsupportedOperation' ? withId('not_pending', asked.request_id) : asked;
  }
  const parsed = cancelResponse.safeParse(asked.body);
  return withId('canceled', parsed.data?.request_id);
}

const withId = <Outcome>(outcome: Outcome, request_id: string | undefined) => ({
  outcome,
  ...(request_id ? { request_id } : {}),
});
