import type { Connection, NoAnswer } from './connection.ts';
import { refusalOf, unavailable } from './rejections.ts';
import { errorAnswer, isTaskId } from './response-schemas.ts';

export type CancelOutcome =
  | { outcome: 'canceled'; request_id?: string }
  /** The task runs already or has ended; Wan cancels only what is PENDING. */
  | { outcome: 'not_pending'; request_id?: string }
  | NoAnswer;

/**
 * Cancels a task that is still PENDING. May be repeated; when the outcome is
 * `unavailable` the task may be canceled all the same: `queryTask` tells.
 *
 * @throws TypeError for an id that no task can have
 */
export async function cancelTask(connection: Connection, taskId: string, signal?: AbortSignal): Promise<CancelOutcome> {
  if (!isTaskId(taskId)) throw new TypeError('This is not the id of a task.');
  const sent = await connection({ method: 'POST', path: `/tasks/${taskId}/cancel`, kind: 'query', signal });
  if ('outcome' in sent) return sent;
  if (sent.kind !== 'answer') return unavailable(sent.cause);
  const requestId = errorAnswer.shape.request_id.parse(requestIdOf(sent.body));
  const ids = requestId ? { request_id: requestId } : {};
  if (sent.status >= 200 && sent.status < 300) return { outcome: 'canceled', ...ids };
  const error = errorAnswer.safeParse(sent.body);
  if (error.success && error.data.code === 'UnsupportedOperation') return { outcome: 'not_pending', ...ids };
  const refusal = refusalOf(sent);
  if (!refusal) return unavailable(`http_${sent.status}`);
  return refusal.outcome === 'refused'
    ? { ...unavailable('refused'), code: refusal.code, message: refusal.message, ...ids }
    : refusal;
}

function requestIdOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, 'request_id') : undefined;
}
