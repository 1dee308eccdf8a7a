import type { WanClient } from '../../functions/wan/client/client.ts';
import type { QueryOutcome } from '../../functions/wan/client/query-task.ts';
import type { VirtualClock } from '../simulation/clock.ts';
import type { Latency } from '../simulation/latency.ts';

/** Wan as far as its questions go: tasks that end by the clock, and 20 questions a second. */
export interface LightWan {
  client: Pick<WanClient, 'queryTask' | 'listTasks'>;
  /** Begins a task that takes so many seconds. */
  begin(taskId: string, seconds: number): void;
  /** When a task ends, milliseconds since 1970. */
  endOf(taskId: string): number;
  /** When each question came, milliseconds since 1970. */
  questions: number[];
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

export function createLightWan({ clock, latency }: { clock: VirtualClock; latency: Latency }): LightWan {
  const tasks = new Map<string, { submitted: number; ends: number }>();
  const questions: number[] = [];
  const ask = <Answer>(answer: () => Answer) =>
    latency('wan', async () => {
      questions.push(clock.now());
      return answer();
    });
  const statusOf = ({ ends }: { ends: number }) => (clock.now() >= ends ? 'SUCCEEDED' : 'RUNNING');

  return {
    questions,
    begin: (taskId, seconds) =>
      void tasks.set(taskId, { submitted: clock.now(), ends: clock.now() + Math.round(seconds * 1000) }),
    endOf: (taskId) => tasks.get(taskId)!.ends,
    client: {
      queryTask: (task_id) =>
        ask((): QueryOutcome => {
          const task = tasks.get(task_id)!;
          const status = statusOf(task);
          const submit_time = iso(task.submitted);
          return status === 'RUNNING'
            ? { outcome: 'task', status, task_id, submit_time }
            : {
                outcome: 'task',
                status,
                task_id,
                submit_time,
                end_time: iso(task.ends),
                video_url: 'https://x.test/v',
              };
        }),
      listTasks: ({ status, page_no = 1, page_size = 100 }) =>
        ask(() => {
          const rows = [...tasks]
            .filter(([, task]) => status === undefined || statusOf(task) === status)
            .reverse()
            .map(([task_id, task]) => ({ task_id, status: statusOf(task) }));
          const page = rows.slice((page_no - 1) * page_size, page_no * page_size);
          return { outcome: 'tasks', tasks: page, page_no, total_page: Math.ceil(rows.length / page_size) };
        }),
    },
  };
}
