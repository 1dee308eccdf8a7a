import type { VirtualClock } from '../simulation/clock.ts';
import type { Latency } from '../simulation/latency.ts';

/** Wan as far as its queries go: tasks that end by the clock. */
export interface LightWan {
  /** Answers `GET /tasks` and `GET /tasks/{id}`. */
  fetch: typeof fetch;
  /** Begins a task that takes so many seconds. */
  begin(taskId: string, seconds: number): void;
  /** When a task ends, milliseconds since 1970. */
  endOf(taskId: string): number;
  /** When each question came, milliseconds since 1970. */
  questions: number[];
}

/** Wan's times are those of UTC+8, without an offset. */
const wanTime = (milliseconds: number): string =>
  new Date(milliseconds + 8 * 3600_000).toISOString().replace('T', ' ').slice(0, -1);

/** A time of a list's query, `YYYYMMDDhhmmss` by Wan's clock. */
function timeOf(query: URLSearchParams, name: string): number {
  const text = query.get(name)!.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6+08:00');
  return Date.parse(text);
}

export function createLightWan({ clock, latency }: { clock: VirtualClock; latency: Latency }): LightWan {
  const tasks = new Map<string, { submitted: number; ends: number }>();
  const questions: number[] = [];
  const statusOf = ({ ends }: { ends: number }) => (clock.now() >= ends ? 'SUCCEEDED' : 'RUNNING');

  function queryTask(task_id: string) {
    const task = tasks.get(task_id)!;
    const task_status = statusOf(task);
    const ending = { end_time: wanTime(task.ends), video_url: 'https://x.test/v' };
    return {
      output: {
        task_id,
        task_status,
        submit_time: wanTime(task.submitted),
        ...(task_status === 'SUCCEEDED' ? ending : {}),
      },
    };
  }

  function listTasks(query: URLSearchParams) {
    const [page_no, page_size] = [Number(query.get('page_no') ?? 1), Number(query.get('page_size') ?? 100)];
    const wanted = query.get('status');
    const rows = [...tasks]
      .map(([task_id, task]) => ({ task_id, status: statusOf(task), gmt_create: task.submitted }))
      .filter(({ status }) => wanted === null || status === wanted)
      .filter(({ gmt_create: at }) => at >= timeOf(query, 'start_time') && at < timeOf(query, 'end_time') + 1000)
      .reverse();
    const data = rows.slice((page_no - 1) * page_size, page_no * page_size);
    return { data, page_no, total_page: Math.ceil(rows.length / page_size) };
  }

  return {
    questions,
    begin: (taskId, seconds) =>
      void tasks.set(taskId, { submitted: clock.now(), ends: clock.now() + Math.round(seconds * 1000) }),
    endOf: (taskId) => tasks.get(taskId)!.ends,
    fetch: (input) =>
      latency('wan', async () => {
        questions.push(clock.now());
        const { pathname, searchParams } = new URL(String(input));
        const taskId = /\/tasks\/(.+)$/.exec(pathname)?.[1];
        return Response.json(taskId ? queryTask(taskId) : listTasks(searchParams));
      }),
  };
}
