import { randomUUID } from 'node:crypto';
import type { TaskStatus } from '../../functions/wan/client/query-task.ts';
import type { CreateTaskServices } from '../../functions/workflow/create-task.ts';

export interface WanTask {
  task_id: string;
  status: TaskStatus;
  prompt: string;
  at: number;
}

/** Whether Wan has billed a task, or will. */
export const isPaid = ({ status }: WanTask): boolean => status !== 'FAILED' && status !== 'CANCELED';

const lost = { outcome: 'unknown', cause: 'socket_reset', retryable: false, billed: true } as const;
const throttled = { outcome: 'throttled', code: 'Throttling', message: '', retryable: true, billed: false } as const;
const noResponse = { outcome: 'unavailable', cause: 'http_502', retryable: true, billed: false } as const;
const refused = {
  outcome: 'refused',
  reason: 'moderation',
  code: 'DataInspectionFailed',
  message: 'no',
  retryable: false,
  billed: false,
} as const;

/**
 * A Wan with scripted faults: tasks advance at various rates, responses get lost before or after the effect, calls are refused.
 * @param created called with the prompt of each task before its creation
 */
export function faultyWan(now: () => number, created: (prompt: string) => void) {
  const tasks: WanTask[] = [];
  let rest: number[] = [];
  const nextFault = (of: number): number => (rest.shift() ?? 0) % of;
  const further: Partial<Record<TaskStatus, TaskStatus>> = { PENDING: 'RUNNING', RUNNING: 'SUCCEEDED' };
  const advance = (task: WanTask): void => {
    const fault = nextFault(8);
    if (fault === 7 && task.status === 'RUNNING') task.status = 'FAILED';
    else if (fault < 5) task.status = further[task.status] ?? task.status;
  };
  const wan: CreateTaskServices['wan'] = {
    async createTask({ input: { prompt = '' } }) {
      const fault = nextFault(10);
      if (fault === 6) return lost;
      if (fault === 7) return throttled;
      if (fault === 8) return refused;
      created(prompt);
      const task: WanTask = { task_id: randomUUID(), status: 'PENDING', prompt, at: now() };
      tasks.push(task);
      return fault === 9 ? lost : { outcome: 'created', task_id: task.task_id, task_status: 'PENDING' };
    },
    async queryTask(task_id) {
      const task = tasks.find((each) => each.task_id === task_id);
      if (!task) return { outcome: 'task', status: 'UNKNOWN', task_id };
      advance(task);
      if (nextFault(10) === 9) return noResponse;
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
      const fault = nextFault(4);
      if (task && fault === 3) advance(task);
      if (task?.status !== 'PENDING') return { outcome: 'not_pending' };
      if (fault === 2) return noResponse;
      task.status = 'CANCELED';
      return fault === 1 ? noResponse : { outcome: 'canceled' };
    },
    uploadFile: async ({ name }) => ({ outcome: 'uploaded', url: `oss://${name}` }),
  };
  return {
    tasks,
    wan,
    /** Sets the faults, one per decision of Wan. Afterwards every call succeeds, and each query advances its task. */
    setFaults(faults: readonly number[]): void {
      rest = [...faults];
    },
  };
}
