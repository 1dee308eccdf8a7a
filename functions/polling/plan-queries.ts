import { isModelName, type ModelName } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { ListQuery } from '../wan/client/list-tasks.ts';

/** Up to this many tasks are each asked about; more are looked for in Wan's list. */
const MOST_SINGLE_QUERIES = 8;

/** Rows of a page. A second page is never read: rows move from page to page while tasks end. */
const PAGE_ROWS = 100;

/**
 * How many of our tasks one list is expected to show. The rest of the page is room for clocks that differ and for other programs' tasks;
 * where it does not suffice, later lists are planned for fewer.
 */
const TASKS_PER_LIST = { most: 90, least: 10, after_overflow: 0.75 };

/** How far before our own note of a submission Wan's time of it may lie, and how far after it (a call lasts up to 75 s). */
const CLOCKS_DIFFER_MILLISECONDS = { before: 60_000, after: 120_000 };
/** A list's times are whole seconds. */
const EXACT_MILLISECONDS = { before: 1000, after: 1000 };

/** A list covers 16 hours at most. */
const LIST_SPAN_MILLISECONDS = 15 * 3600_000;

/** A task that an execution waits for. */
export interface WatchedTask {
  task_id: string;
  model: string;
  /** When it was submitted: by Wan's clock if a list has shown it, else by ours. Milliseconds since 1970. */
  submitted: number;
  /** What the last list that showed it said. */
  listed?: Listed | undefined;
}

export interface Listed {
  status: 'PENDING' | 'RUNNING';
  /** Milliseconds since 1970 by Wan's clock. */
  submitted?: number | undefined;
}

/** What a look found out. A task that is in none of the sets is one that nothing was learned about. */
export interface QueryResults {
  /** Ended, as far as the look can tell: CheckTask judges. */
  ended: Set<string>;
  active: Map<string, Listed>;
  /** Wan throttles the account or refuses it. */
  refused: boolean;
}

/** What one watcher remembers between its looks. */
export interface QueryMemory {
  /** The clock by which Wan reads the times of a list, which no source tells: the first is tried until it shows none of our tasks. */
  list_clock: NonNullable<ListQuery['clock']>;
  tasks_per_list: number;
  /** Tasks that the last look learned nothing about. */
  unresolved: ReadonlySet<string>;
  /** Where the single queries go on, of which a look makes some. */
  next_single: number;
}

export const newQueryMemory = (): QueryMemory => ({
  list_clock: 'wan',
  tasks_per_list: TASKS_PER_LIST.most,
  unresolved: new Set(),
  next_single: 0,
});

/** One query to Wan. */
type Query = (look: QueryResults) => Promise<void>;

type Wan = Pick<WanClient, 'queryTask' | 'listTasks'>;

/**
 * Plans the queries that tell how tasks stand: one for each task while there are few, else lists of PENDING and RUNNING tasks, by
 * windows of submission time that show at most a page each. Together the windows of a model cover its tasks' whole time, so what is
 * in none of them has ended.
 * @returns the queries, in the order in which they must be sent, and what concludes a look after they were answered
 */
export function planQueries(
  wan: Wan,
  tasks: readonly WatchedTask[],
  memory: QueryMemory,
  now: number,
): { queries: Query[]; conclude: (look: QueryResults) => void } {
  if (tasks.length <= MOST_SINGLE_QUERIES)
    return { queries: tasks.map((task) => singleQuery(wan, task)), conclude: () => undefined };
  const listed: ModelLists[] = [];
  for (const model of new Set(tasks.map((task) => task.model))) {
    const own = tasks.filter((task) => task.model === model && now - task.submitted < LIST_SPAN_MILLISECONDS);
    const lists =
      isModelName(model) && own.length > 0 ? listsOf(model, own, { per_list: memory.tasks_per_list, now }) : undefined;
    if (lists && own.length > lists.windows.length) listed.push(lists);
  }
  const shown = new Set(listed.flatMap((lists) => lists.tasks));
  const single = tasks.filter((task) => !shown.has(task) || memory.unresolved.has(task.task_id));
  const round = rotate(single, memory.next_single).slice(0, MOST_SINGLE_QUERIES);
  memory.next_single += round.length;
  return {
    queries: [
      ...listed.flatMap((lists) => lists.windows.map((window) => listQuery(wan, lists, window, memory.list_clock))),
      ...round.map((task) => singleQuery(wan, task)),
    ],
    conclude(look) {
      if (listed.length > 0 && listed.every(({ seen }) => seen === 0))
        memory.list_clock = memory.list_clock === 'wan' ? 'utc' : 'wan';
      if (listed.some(({ overflowed }) => overflowed)) {
        const fewer = Math.floor(memory.tasks_per_list * TASKS_PER_LIST.after_overflow);
        memory.tasks_per_list = Math.max(TASKS_PER_LIST.least, fewer);
      }
      const isKnown = ({ task_id }: WatchedTask) => look.ended.has(task_id) || look.active.has(task_id);
      memory.unresolved = new Set(tasks.filter((task) => !isKnown(task)).map(({ task_id }) => task_id));
    },
  };
}

function singleQuery(wan: Wan, { task_id }: WatchedTask): Query {
  return async (look) => {
    const answer = await wan.queryTask(task_id);
    if (answer.outcome === 'throttled' || answer.outcome === 'account_refused') look.refused = true;
    if (answer.outcome === 'unrecognised') look.ended.add(task_id);
    if (answer.outcome !== 'task') return;
    if (answer.status === 'PENDING' || answer.status === 'RUNNING') look.active.set(task_id, { status: answer.status });
    else look.ended.add(task_id);
  };
}

interface Window {
  status: 'PENDING' | 'RUNNING';
  /** Milliseconds since 1970. */
  start: number;
  end: number;
}

/** The lists that show all tasks of a model that go on. */
interface ModelLists {
  model: ModelName;
  tasks: readonly WatchedTask[];
  windows: Window[];
  /** Windows that were answered with all their rows. */
  complete: Set<Window>;
  /** Whether a window of RUNNING tasks had more rows than a page. */
  overflowed: boolean;
  seen: number;
}

/** PENDING before RUNNING: a task that begins to run meanwhile is then seen twice, not missed. */
function listsOf(model: ModelName, tasks: readonly WatchedTask[], size: { per_list: number; now: number }): ModelLists {
  const submitted = tasks.map(({ submitted }) => submitted).sort((one, other) => one - other);
  // Few tasks are PENDING: Wan starts what it has room for. Where a list shows more than a page, the next look knows some of them.
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

/** Windows without gaps over the whole time, of so many tasks each. They meet at whole seconds, in which a list's times are given. */
function windowsOver(
  status: Window['status'],
  submitted: readonly number[],
  first: number,
  { per_list, now }: { per_list: number; now: number },
): Window[] {
  const inner = submitted.filter((_, index) => index > 0 && index % per_list === 0);
  const edges = [first - CLOCKS_DIFFER_MILLISECONDS.before, ...inner, now + CLOCKS_DIFFER_MILLISECONDS.after];
  const seconds = [...new Set(edges.map((edge) => Math.floor(edge / 1000) * 1000))];
  return seconds.slice(1).map((end, index) => ({ status, start: seconds[index]!, end: end - 1000 }));
}

function listQuery(wan: Wan, lists: ModelLists, window: Window, clock: QueryMemory['list_clock']): Query {
  return async (look) => {
    const answer = await wan.listTasks({
      model: lists.model,
      start_time: new Date(window.start).toISOString(),
      end_time: new Date(window.end).toISOString(),
      status: window.status,
      page_size: PAGE_ROWS,
      clock,
    });
    if (answer.outcome === 'throttled' || answer.outcome === 'account_refused') look.refused = true;
    if (answer.outcome !== 'tasks') return;
    if (answer.total_page <= 1) lists.complete.add(window);
    else if (window.status === 'RUNNING') lists.overflowed = true;
    const own = new Set(lists.tasks.map(({ task_id }) => task_id));
    for (const { task_id, status, submit_time } of answer.tasks) {
      if (!own.has(task_id)) continue;
      lists.seen += 1;
      const submitted = submit_time === undefined ? undefined : Date.parse(submit_time);
      if (status === 'PENDING' || status === 'RUNNING') look.active.set(task_id, { status, submitted });
    }
    judgeMissing(lists, look);
  };
}

/**
 * Takes for ended what none of the lists shows in which it must be. Lists that have shown none of our tasks say more about themselves,
 * or the clock that they are read by, than about the tasks.
 */
function judgeMissing({ tasks, windows, complete, seen }: ModelLists, look: QueryResults): void {
  if (seen === 0) return;
  const missing = windows.filter((window) => !complete.has(window));
  for (const { task_id, submitted, listed } of tasks) {
    const { before, after } = listed?.submitted === undefined ? CLOCKS_DIFFER_MILLISECONDS : EXACT_MILLISECONDS;
    const mayShow = ({ start, end }: Window) => submitted - before <= end && submitted + after >= start;
    if (!look.active.has(task_id) && !missing.some(mayShow)) look.ended.add(task_id);
  }
}

const rotate = <Item>(items: readonly Item[], by: number): Item[] =>
  items.length === 0 ? [] : [...items.slice(by % items.length), ...items.slice(0, by % items.length)];
