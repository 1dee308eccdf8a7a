import { apiError } from './errors.ts';
import { errorResponse, json, type WanResponse } from './http.ts';
import type { Store } from './store.ts';
import { statusOf } from './task.ts';

/** `POST /tasks/{id}/cancel`: a PENDING task becomes CANCELED; any other is rejected. */
export async function cancelTask(
  services: { readonly store: Store; readonly now: () => number },
  account: string,
  taskId: string,
): Promise<WanResponse> {
  const { store, now } = services;
  const task = store.find(taskId);
  if (!task || task.account !== account || statusOf(task, store.timesOf(task), now()) !== 'PENDING') {
    return errorResponse(apiError('UnsupportedOperation'));
  }
  await store.save({ ...task, canceled_at: now() });
  return json(200, {});
}
