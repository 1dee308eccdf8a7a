import type { Task, TaskTimes } from './task.ts';
import { resultDeadline, second } from './time.ts';

/**
 * Computes when each task of one account and model starts and ends. Up to `slots` run concurrently; the others wait in the
 * order in which they became ready. The result does not depend on the current time: a later submission or cancellation
 * never moves a task that has started, because tasks only queue behind it.
 */
export function scheduleTasks(tasks: readonly Task[], slots: number): Map<string, TaskTimes> {
  const times = new Map<string, TaskTimes>();
  const freeAt: number[] = [];
  const inOrder = tasks
    .filter((task) => task.canceled_at === undefined && !task.directives.unknown)
    .sort((one, other) => readyAt(one) - readyAt(other) || one.submitted_at - other.submitted_at);
  for (const task of inOrder) {
    const start = freeAt.length < slots ? readyAt(task) : Math.max(readyAt(task), takeEarliest(freeAt));
    const deadline = task.submitted_at + resultDeadline;
    const end = start + task.run_seconds * second;
    const overdue = end > deadline;
    times.set(task.task_id, { start, end: Math.min(end, deadline), overdue });
    freeAt.push(Math.min(end, Math.max(start, deadline)));
  }
  return times;
}

function readyAt(task: Task): number {
  return task.submitted_at + task.pending_seconds * second;
}

function takeEarliest(freeAt: number[]): number {
  const earliest = Math.min(...freeAt);
  freeAt.splice(freeAt.indexOf(earliest), 1);
  return earliest;
}
