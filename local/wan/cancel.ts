import { refuse } from './errors.ts';
import { type Answer, json, refused } from './http.ts';
import type { Store } from './store.ts';
import { statusOf } from './task.ts';

/** `POST /tasks/{id}/cancel`: a PENDING task becomes CANCELED, anything else is refused. */
export async function cancelTask(
  services: { readonly store: Store; readonly now: () => number },
  account: string,
  taskId: string,
): Promise<Answer> {
  const { store, now } = services;
  const task = store.find(taskId);
  if (!task || task.account !== account || statusOf(task, store.timesOf(task), now()) !== 'PENDING') {
    return refused(refuse('UnsupportedOperation'));
  }
  await store.save({ ...task, canceled_at: now() });
  return json(200, {});
}
