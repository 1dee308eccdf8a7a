import { setTimeout as sleep } from 'node:timers/promises';
import { failureMessage } from './errors.ts';
import { RenderError, type Renderer } from './render/render.ts';
import type { Store } from './store.ts';
import { type Outcome, statusOf, type Task, type TaskStatus } from './task.ts';

export interface Settler {
  /** The task as it is now; one whose time is over is rendered first, which may take a moment. */
  settle(taskId: string): Promise<{ readonly task: Task; readonly status: TaskStatus } | undefined>;
  /** Renders the task's video shortly before it is due, so that the query which finds it done need not wait. */
  prepare(task: Task): void;
  /** Forgets what was to be prepared. */
  close(): void;
}

/** How long before a task's end its rendering begins, and how long a query waits for a rendering, in ms. */
const headStart = 2000;
const patience = 8000;

/** Brings tasks to their end: no timer decides it, only the clock and who asks. */
export function createSettler(services: { store: Store; renderer: Renderer; now: () => number }): Settler {
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

  /** Writes the outcome once, however many ask at the same time. */
  function end(task: Task): Promise<void> {
    const running =
      ending.get(task.task_id) ??
      outcomeOf(task)
        .then((outcome) => store.save({ ...(store.find(task.task_id) ?? task), outcome }))
        .finally(() => ending.delete(task.task_id));
    ending.set(task.task_id, running);
    return running;
  }

  return {
    async settle(taskId) {
      const found = store.find(taskId);
      if (!found) return undefined;
      const asked = now();
      if (statusOf(found, store.timesOf(found), asked) === 'due') {
        // Not so long that the caller gives up: it is told RUNNING then.
        await Promise.race([end(found), sleep(patience, undefined, { ref: false })]);
      }
      const task = store.find(taskId) ?? found;
      const status = statusOf(task, store.timesOf(task), asked);
      return { task, status: status === 'due' ? 'RUNNING' : status };
    },
    prepare(task) {
      const { end: dueAt } = store.timesOf(task);
      if (task.directives.fail || !Number.isFinite(dueAt)) return;
      const timer = setTimeout(
        () => {
          timers.delete(timer);
          const current = store.find(task.task_id);
          if (current?.canceled_at === undefined) renderer.render(task).catch(() => {});
        },
        Math.max(0, dueAt - now() - headStart),
      );
      timers.add(timer.unref());
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
