import type { WanClient } from '../wan/client/client.ts';
import type { ListQuery } from '../wan/client/list-tasks.ts';

/** Up to this many tasks are queried one by one; more are queried through Wan's task list. */
const MAX_SINGLE_QUERIES = 8;

/** Rows per page. A second page is never read: rows shift between pages while tasks end. */
const PAGE_ROWS = 100;

/**
 * How many of our tasks one list query is planned for. The rest of the page is room for clock skew and for tasks of other programs.
 * After a page overflows, later queries are planned for fewer tasks.
 */
const TASKS_PER_LIST = { max: 90, min: 10, after_overflow: 0.75 };

/** How much earlier and later Wan's submission time may be than ours (a call lasts up to 75 s). */
const CLOCK_SKEW_MILLISECONDS = { before: 60_000, after: 120_000 };
/** The times in a list are whole seconds. */
const ROUNDING_MILLISECONDS = { before: 1000, after: 1000 };

/** A list query may cover at most 16 hours. */
const LIST_SPAN_MILLISECONDS = 15 * 3600_000;

/** A task that an execution waits for. */
export interface WatchedTask {
  task_id: string;
  model: string;
  /** Submission time, milliseconds since 1970: by Wan's clock once a list has shown the task, else by ours. */
  submitted: number;
  /** The task's row in the last list that contained it. */
  listed?: Listed | undefined;
}

export interface Listed {
  status: 'PENDING' | 'RUNNING';
  /** Milliseconds since 1970 by Wan's clock. */
  submitted?: number | undefined;
}

/** The results of one pass. A task in neither collection is unresolved. */
export interface QueryResults {
  /** Tasks that have probably ended; CheckTask decides. */
  ended: Set<string>;
  active: Map<string, Listed>;
  /** Whether Wan throttles or refuses the account. */
  refused: boolean;
}

/** What a watcher keeps between its passes. */
export interface QueryMemory {
  /** The time zone of a list query's times, which Wan does not document. Switched when lists do not show any of our tasks. */
  list_clock: NonNullable<ListQuery['clock']>;
  tasks_per_list: number;
  /** Tasks that the last pass did not resolve. */
  unresolved: ReadonlySet<string>;
  /** Where the next pass continues with single queries, of which each pass makes some. */
  next_single: number;
}

export const newQueryMemory = (): QueryMemory => ({
  list_clock: 'wan',
  tasks_per_list: TASKS_PER_LIST.max,
  unresolved: new Set(),
  next_single: 0,
});

/** One query to Wan. */
type Query = (results: QueryResults) => Promise<void>;

type Wan = Pick<WanClient, 'queryTask' | 'listTasks'>;

/**
 * Plans the queries of one pass: one per task while there are few, else lists of PENDING and RUNNING tasks, in windows of submission
 * time of at most a page each. The windows of a model cover the submission times of all its tasks, so a task in no window has ended.
 * @returns the queries, in the order in which they must be sent, and `finish`, to be called after their responses
 */
export function planQueries(
  wan: Wan,
  tasks: readonly WatchedTask[],
  memory: QueryMemory,
  now: number,
): { queries: Query[]; finish: (results: QueryResults) => void } {
  if (tasks.length <= MAX_SINGLE_QUERIES)
    return { queries: tasks.map((task) => singleQuery(wan, task)), finish: () => undefined };
  const listed: ModelLists[] = [];
  for (const model of new Set(tasks.map((task) => task.model))) {
    const own = tasks.filter((task) => task.model === model && now - task.submitted < LIST_SPAN_MILLISECONDS);
    const lists = own.length > 0 ? listsOf(model, own, { per_list: memory.tasks_per_list, now }) : undefined;
    if (lists && own.length > lists.windows.length) listed.push(lists);
  }
  const shown = new Set(listed.flatMap((lists) => lists.tasks));
  const singles = tasks.filter((task) => !shown.has(task) || memory.unresolved.has(task.task_id));
  const batch = rotate(singles, memory.next_single).slice(0, MAX_SINGLE_QUERIES);
  memory.next_single += batch.length;
  return {
    queries: [
      ...listed.flatMap((lists) => lists.windows.map((window) => listQuery(wan, lists, window, memory.list_clock))),
      ...batch.map((task) => singleQuery(wan, task)),
    ],
    finish(results) {
      if (listed.length > 0 && listed.every(({ seen }) => seen === 0))
        memory.list_clock = memory.list_clock === 'wan' ? 'utc' : 'wan';
      if (listed.some(({ overflowed }) => overflowed)) {
        const fewer = Math.floor(memory.tasks_per_list * TASKS_PER_LIST.after_overflow);
        memory.tasks_per_list = Math.max(TASKS_PER_LIST.min, fewer);
      }
      const isKnown = ({ task_id }: WatchedTask) => results.ended.has(task_id) || results.active.has(task_id);
      memory.unresolved = new Set(tasks.filter((task) => !isKnown(task)).map(({ task_id }) => task_id));
    },
  };
}

function singleQuery(wan: Wan, { task_id }: WatchedTask): Query {
  return async (results) => {
    const response = await wan.queryTask(task_id);
    if (response.outcome === 'throttled' || response.outcome === 'account_refused') results.refused = true;
    if (response.outcome === 'unrecognised') results.ended.add(task_id);
    if (response.outcome !== 'task') return;
    if (response.status === 'PENDING' || response.status === 'RUNNING')
      results.active.set(task_id, { status: response.status });
    else results.ended.add(task_id);
  };
}

interface Window {
  status: 'PENDING' | 'RUNNING';
  /** Milliseconds since 1970. */
  start: number;
  end: number;
}

/** The list queries that together show all PENDING and RUNNING tasks of a model. */
interface ModelLists {
  model: string;
  tasks: readonly WatchedTask[];
  windows: Window[];
  /** Windows whose response had all rows on one page. */
  complete: Set<Window>;
  /** Whether a window of RUNNING tasks had more than one page. */
  overflowed: boolean;
  seen: number;
}

/** Plans PENDING before RUNNING, so that a task that starts to run in between appears twice rather than never. */
function listsOf(model: string, tasks: readonly WatchedTask[], size: { per_list: number; now: number }): ModelLists {
  const submitted = tasks.map(({ submitted }) => submitted).sort((one, other) => one - other);
  // Few tasks are PENDING, because Wan starts as many as its concurrency allows. After an overflow, the next pass knows some of them.
  const pending = tasks
    .filter((task) => task.listed?.status === 'PENDING')
    .map((task) => task.submitted)
    .sort((one, other) => one - other);
  const windows = [
    ...windowsOver('PENDING', pending, submitted[0]!, size),
    ...windowsOver('RUNNING', submitted, submitted[0]!, size),
  ];
  return { model, tasks, windows, complete: new Set(), overflowed: false, seen: 0 };
}

/** Splits the time from `first` to now into windows of `per_list` tasks each, without gaps. Windows meet at whole seconds, the resolution of a list. */
function windowsOver(
  status: Window['status'],
  submitted: readonly number[],
  first: number,
  { per_list, now }: { per_list: number; now: number },
): Window[] {
  const inner = submitted.filter((_, index) => index > 0 && index % per_list === 0);
  const edges = [first - CLOCK_SKEW_MILLISECONDS.before, ...inner, now + CLOCK_SKEW_MILLISECONDS.after];
  const seconds = [...new Set(edges.map((edge) => Math.floor(edge / 1000) * 1000))];
  return seconds.slice(1).map((end, index) => ({ status, start: seconds[index]!, end: end - 1000 }));
}

function listQuery(wan: Wan, lists: ModelLists, window: Window, clock: QueryMemory['list_clock']): Query {
  return async (results) => {
    const response = await wan.listTasks({
      model: lists.model,
      start_time: new Date(window.start).toISOString(),
      end_time: new Date(window.end).toISOString(),
      status: window.status,
      page_size: PAGE_ROWS,
      clock,
    });
    if (response.outcome === 'throttled' || response.outcome === 'account_refused') results.refused = true;
    if (response.outcome !== 'tasks') return;
    if (response.total_page <= 1) lists.complete.add(window);
    else if (window.status === 'RUNNING') lists.overflowed = true;
    const own = new Set(lists.tasks.map(({ task_id }) => task_id));
    for (const { task_id, status, submit_time } of response.tasks) {
      if (!own.has(task_id)) continue;
      lists.seen += 1;
      const submitted = submit_time === undefined ? undefined : Date.parse(submit_time);
      if (status === 'PENDING' || status === 'RUNNING') results.active.set(task_id, { status, submitted });
    }
    markMissingAsEnded(lists, results);
  };
}

/**
 * Marks tasks as ended that are missing from every list that must contain them. If the lists do not contain any of our tasks, the times were
 * probably sent in the wrong time zone, and nothing is marked.
 */
function markMissingAsEnded({ tasks, windows, complete, seen }: ModelLists, results: QueryResults): void {
  if (seen === 0) return;
  const missing = windows.filter((window) => !complete.has(window));
  for (const { task_id, submitted, listed } of tasks) {
    const { before, after } = listed?.submitted === undefined ? CLOCK_SKEW_MILLISECONDS : ROUNDING_MILLISECONDS;
    const mayShow = ({ start, end }: Window) => submitted - before <= end && submitted + after >= start;
    if (!results.active.has(task_id) && !missing.some(mayShow)) results.ended.add(task_id);
  }
}

const rotate = <Item>(items: readonly Item[], by: number): Item[] =>
  items.length === 0 ? [] : [...items.slice(by % items.length), ...items.slice(0, by % items.length)];
