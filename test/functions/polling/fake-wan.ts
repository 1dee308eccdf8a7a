import type { ModelName } from '../../../functions/wan/catalogue.ts';
import type { WanClient } from '../../../functions/wan/client/client.ts';
import type { ListOutcome } from '../../../functions/wan/client/list-tasks.ts';
import type { QueryOutcome, TaskStatus } from '../../../functions/wan/client/query-task.ts';

export const model = 'wan2.5-i2v-preview' satisfies ModelName;

interface FakeTask {
  task_id: string;
  /** Milliseconds since 1970, by Wan's clock. */
  submitted: number;
  status: TaskStatus;
}

export interface FakeWan {
  tasks: Map<string, FakeTask>;
  queries: { at: number; what: string }[];
  /** The time zone in which list queries are read. With the other one, a list is off by 8 hours. */
  listClock: 'wan' | 'utc';
  /** Replaces every response while it is set. */
  answer: QueryOutcome | undefined;
  /** Tasks that lists omit. */
  hidden: Set<string>;
  add: (task_id: string, status: TaskStatus, submitted?: number) => void;
  set: (task_id: string, status: TaskStatus) => void;
  client: Pick<WanClient, 'queryTask' | 'listTasks'>;
}

/** The part of Wan that the watcher uses: tasks with a status set by the test; lists by submission time, newest first. */
export function fakeWan(now: () => number): FakeWan {
  const tasks: FakeWan['tasks'] = new Map();
  const queries: FakeWan['queries'] = [];
  const wan: FakeWan = {
    tasks,
    queries,
    listClock: 'wan',
    answer: undefined,
    hidden: new Set(),
    add: (task_id: string, status: TaskStatus, submitted = now()) =>
      void tasks.set(task_id, { task_id, status, submitted }),
    set: (task_id: string, status: TaskStatus) => void tasks.set(task_id, { ...tasks.get(task_id)!, status }),
    client: {
      async queryTask(task_id) {
        queries.push({ at: now(), what: task_id });
        if (wan.answer) return wan.answer;
        return { outcome: 'task', task_id, status: tasks.get(task_id)?.status ?? 'UNKNOWN' };
      },
      async listTasks({ start_time, end_time, status, clock, page_size = 100 }) {
        queries.push({ at: now(), what: `list ${status}` });
        if (Date.parse(end_time) - Date.parse(start_time) > 16 * 3600_000)
          throw new RangeError('A list covers 0 to 16 hours.');
        if (wan.answer) return wan.answer as ListOutcome;
        const off = clock === wan.listClock ? 0 : 8 * 3600_000;
        const rows = [...tasks.values()]
          .filter((task) => !wan.hidden.has(task.task_id) && task.status === status)
          .filter(
            ({ submitted }) => submitted >= Date.parse(start_time) - off && submitted <= Date.parse(end_time) - off,
          )
          .reverse();
        return {
          outcome: 'tasks',
          tasks: rows.slice(0, page_size),
          page_no: 1,
          total_page: Math.ceil(rows.length / page_size),
        };
      },
    },
  };
  return wan;
}
