import { randomUUID } from 'node:crypto';
import type { TaskStatus } from '../../functions/wan/client/query-task.ts';
import type { CreateTaskServices } from '../../functions/workflow/create-task.ts';

export interface WanTask {
  task_id: string;
  status: TaskStatus;
  prompt: string;
  at: number;
}

/** Whether Wan has charged for a task, or will. */
export const isPaid = ({ status }: WanTask): boolean => status !== 'FAILED' && status !== 'CANCELED';

const lost = { outcome: 'unknown', cause: 'socket_reset', retryable: false, billed: true } as const;
const throttled = { outcome: 'throttled', code: 'Throttling', message: '', retryable: true, billed: false } as const;
const noAnswer = { outcome: 'unavailable', cause: 'http_502', retryable: true, billed: false } as const;
const refused = {
  outcome: 'refused',
  reason: 'moderation',
  code: 'DataInspectionFailed',
  message: 'no',
  retryable: false,
  billed: false,
} as const;

/**
 * Wan in one of its moods: tasks go on when nobody looks, answers get lost after the deed and before it, calls are refused.
 * @param created is told of each task's prompt before there is one
 */
export function moodyWan(now: () => number, created: (prompt: string) => void) {
  const tasks: WanTask[] = [];
  let rest: number[] = [];
  const mood = (of: number): number => (rest.shift() ?? 0) % of;
  const further: Partial<Record<TaskStatus, TaskStatus>> = { PENDING: 'RUNNING', RUNNING: 'SUCCEEDED' };
  const goOn = (task: WanTask): void => {
    const how = mood(8);
    if (how === 7 && task.status === 'RUNNING') task.status = 'FAILED';
    else if (how < 5) task.status = further[task.status] ?? task.status;
  };
  const wan: CreateTaskServices['wan'] = {
    async createTask({ input: { prompt = '' } }) {
      const how = mood(10);
      if (how === 6) return lost;
      if (how === 7) return throttled;
      if (how === 8) return refused;
      created(prompt);
      const task: WanTask = { task_id: randomUUID(), status: 'PENDING', prompt, at: now() };
      tasks.push(task);
      return how === 9 ? lost : { outcome: 'created', task_id: task.task_id, task_status: 'PENDING' };
    },
    async queryTask(task_id) {
      const task = tasks.find((each) => each.task_id === task_id);
      if (!task) return { outcome: 'task', status: 'UNKNOWN', task_id };
      goOn(task);
      if (mood(10) === 9) return noAnswer;
      const { status, prompt, at } = task;
      return {
        outcome: 'task',
        task_id,
        status,
        orig_prompt: prompt,
        submit_time: new Date(at).toISOString(),
        ...(status === 'SUCCEEDED' ? { video_url: 'https://wan.test/video.mp4', usage: { duration: 5 } } : {}),
      };
    },
    async listTasks({ start_time, end_time }) {
      const listed = tasks
        .filter(({ at }) => at >= Date.parse(start_time) && at <= Date.parse(end_time))
        .map(({ task_id, status }) => ({ task_id, status }));
      return { outcome: 'tasks', tasks: listed, page_no: 1, total_page: 1 };
    },
    async cancelTask(task_id) {
      const task = tasks.find((each) => each.task_id === task_id);
      const how = mood(4);
      if (task && how === 3) goOn(task);
      if (task?.status !== 'PENDING') return { outcome: 'not_pending' };
      if (how === 2) return noAnswer;
      task.status = 'CANCELED';
      return how === 1 ? noAnswer : { outcome: 'canceled' };
    },
    uploadFile: async ({ name }) => ({ outcome: 'uploaded', url: `oss://${name}` }),
  };
  return {
    tasks,
    wan,
    /** One mood is taken for each decision; when none is left all goes well, and each look finds a task a step further. */
    feel(moods: readonly number[]): void {
      rest = [...moods];
    },
  };
}
