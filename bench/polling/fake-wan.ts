import type { VirtualClock } from '../simulation/clock.ts';
import type { Latency } from '../simulation/latency.ts';

/** A fake of Wan's query routes, with tasks that end by the clock. */
export interface FakeWan {
  /** Answers `GET /tasks` and `GET /tasks/{id}`. */
  fetch: typeof fetch;
  /** Starts a task that takes the given time. */
  begin(taskId: string, seconds: number): void;
  /** Returns the end of a task, in milliseconds since 1970. */
  endOf(taskId: string): number;
  /** The time of each query, in milliseconds since 1970. */
  queries: number[];
}

/** Formats a time like Wan: in UTC+8, without an offset. */
const wanTime = (milliseconds: number): string =>
  new Date(milliseconds + 8 * 3600_000).toISOString().replace('T', ' ').slice(0, -1);

/** Parses a time of a list query: `YYYYMMDDhhmmss` in UTC+8. */
function timeOf(query: URLSearchParams, name: string): number {
  const text = query.get(name)!.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6+08:00');
  return Date.parse(text);
}

export function createFakeWan({ clock, latency }: { clock: VirtualClock; latency: Latency }): FakeWan {
  const tasks = new Map<string, { submitted: number; ends: number }>();
  const queries: number[] = [];
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
    queries,
    begin: (taskId, seconds) =>
      void tasks.set(taskId, { submitted: clock.now(), ends: clock.now() + Math.round(seconds * 1000) }),
    endOf: (taskId) => tasks.get(taskId)!.ends,
    fetch: (input) =>
      latency('wan', async () => {
        queries.push(clock.now());
        const { pathname, searchParams } = new URL(String(input));
        const taskId = /\/tasks\/(.+)$/.exec(pathname)?.[1];
        return Response.json(taskId ? queryTask(taskId) : listTasks(searchParams));
      }),
  };
}
