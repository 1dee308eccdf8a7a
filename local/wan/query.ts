import { describeTask } from './answer.ts';
import { type Answer, json } from './http.ts';
import type { Settler } from './settle.ts';
import type { Store } from './store.ts';

/** `GET /tasks/{id}`. An id that is unknown, expired, malformed or another account's is UNKNOWN, with HTTP 200. */
export async function queryTask(
  services: { readonly store: Store; readonly settler: Settler; readonly origin: string },
  account: string,
  taskId: string,
): Promise<Answer> {
  const isOwn = services.store.find(taskId)?.account === account;
  const settled = isOwn ? await services.settler.settle(taskId) : undefined;
  if (!settled) {
    return json(200, { output: { task_id: taskId, task_status: 'UNKNOWN' } });
  }
  const { task, status } = settled;
  return json(200, describeTask(task, status, services.store.timesOf(task), services.origin));
}
