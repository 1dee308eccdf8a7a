import { setTimeout as sleep } from 'node:timers/promises';
import { failureMessage } from './errors.ts';
import { RenderError, type Renderer } from './render/render.ts';
import type { Store } from './store.ts';
import { type Outcome, statusOf, type Task, type TaskStatus } from './task.ts';

export interface TaskFinisher {
  /** Returns the current task. Renders a due one first, which may take a moment. */
  finishIfDue(taskId: string): Promise<{ readonly task: Task; readonly status: TaskStatus } | undefined>;
  /** Renders the task's video shortly before it is due, so that the query that finds it finished need not wait. */
  renderAhead(task: Task): void;
  /** Cancels scheduled renderings. */
  close(): void;
}

/** In ms: how long before the end of a task its rendering starts, and how long a query waits for a rendering. */
const renderAheadMilliseconds = 2000;
const maxWaitMilliseconds = 8000;

/** Finishes tasks that are due when they are queried. Timers only render ahead; the status follows from `now`. */
export function createTaskFinisher(services: { store: Store; renderer: Renderer; now: () => number }): TaskFinisher {
  const { store, renderer, now } = services;
  const ending = new Map<string, Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();

  async function outcomeOf(task: Task): Promise<Outcome> {
    const failed = (code: string): Outcome => ({ status: 'FAILED', code, message: failureMessage(code) });
    if (store.timesOf(task).overdue) return failed('InternalError.Timeout');
    if (task.directives.fail) return failed(task.directives.fail);
    try {
      return { status: 'SUCCEEDED', render: await renderer.render(task) };
    } catch (error) {
      if (error instanceof RenderError) return failed('InternalError.Algo');
      throw error;
    }
  }

  /** Writes the outcome once, even if several queries arrive concurrently. */
  function end(task: Task): Promise<void> {
    const finishing =
      ending.get(task.task_id) ??
      outcomeOf(task)
        .then((outcome) => store.save({ ...(store.find(task.task_id) ?? task), outcome }))
        .finally(() => ending.delete(task.task_id));
    ending.set(task.task_id, finishing);
    return finishing;
  }

  return {
    async finishIfDue(taskId) {
      const found = store.find(taskId);
      if (!found) return undefined;
      const queriedAt = now();
      if (statusOf(found, store.timesOf(found), queriedAt) === 'due') {
        // Returns RUNNING after this time, before the caller gives up.
        await Promise.race([end(found), sleep(maxWaitMilliseconds, undefined, { ref: false })]);
      }
      const task = store.find(taskId) ?? found;
      const status = statusOf(task, store.timesOf(task), queriedAt);
      return { task, status: status === 'due' ? 'RUNNING' : status };
    },
    renderAhead(task) {
      const { end: dueAt } = store.timesOf(task);
      if (task.directives.fail || !Number.isFinite(dueAt)) return;
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          const current = store.find(task.task_id);
          if (current?.canceled_at === undefined) renderer.render(task).catch(() => {});
        },
        Math.max(0, dueAt - now() - renderAheadMilliseconds),
      );
      timers.add(timer.unref());
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
