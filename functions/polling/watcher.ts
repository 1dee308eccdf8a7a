import { settleAll } from '../shared/concurrency.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import { type Listed, newQueryMemory, planQueries, type QueryResults, type WatchedTask } from './plan-queries.ts';
import { anyWaiting, listWaiting, readWait, removeToken, type WaitItem, type WaitingExecution } from './wait-item.ts';
import { acquireLease, LINGER_MILLISECONDS, releaseLease, renewLease } from './watcher-lease.ts';

/** From the start of one tick to that of the next. */
const TICK_MILLISECONDS = 1500;
/** Between two ticks, however long the first one took. */
const MIN_PAUSE_MILLISECONDS = 20;
/** Between two renewals of the lease. A watcher that another one supersedes works on for at most this long, which does no harm. */
const RENEWAL_MILLISECONDS = 4000;
/** A watcher without a successor ends after this time, within the function's timeout of 5 minutes. */
const MAX_WATCH_MILLISECONDS = 4 * 60_000;
/** Between two reads of a wait item without a token: its execution was woken, or is not in WaitForEnd yet. */
const REREAD_MILLISECONDS = 5000;
/** How long the watcher sends no queries after Wan has refused or throttled the account. */
const REFUSAL_PAUSE_MILLISECONDS = 60_000;
/** The maximum of one reservation. With more, the queries of CheckTask would wait for a whole pass. */
const QUERIES_PER_RESERVATION = 8;
/** How many items are read, or executions woken, concurrently. */
const CONCURRENCY = 20;

export interface WatcherServices {
  table: Table;
  wan: Pick<WanClient, 'queryTask' | 'listTasks'>;
  /**
   * Reserves consecutive slots for this many queries to Wan.
   * @returns the first slot and the milliseconds between two slots; undefined when there is no slot soon enough
   */
  reserveQueries: (count: number) => Promise<{ first: number; interval: number } | undefined>;
  /** Wakes the execution that wrote a token. Does nothing when the token is stale. */
  wake: (token: string) => Promise<void>;
  sleep: (milliseconds: number) => Promise<void>;
  /** Called with an error of a tick; the next tick tries again. */
  onError: (error: unknown) => void;
}

export type WatcherEnd = 'nothing_waits' | 'superseded' | 'timed_out' | 'already_running';

/**
 * Detects ended tasks and wakes the executions that wait for them. A lease ensures that one watcher works at a time.
 * @param holder identifies this watcher
 * @param startedBy `schedule` takes over the lease, or ends immediately when nothing waits; `create-task` runs only when no watcher is alive
 * @returns why it ended
 */
export async function watch(
  services: WatcherServices,
  holder: string,
  startedBy: 'schedule' | 'create-task',
): Promise<WatcherEnd> {
  const { table, sleep } = services;
  const started = table.now();
  if (startedBy === 'schedule' && !(await anyWaiting(table))) return 'nothing_waits';
  if (!(await acquireLease(table, holder, startedBy === 'create-task'))) return 'already_running';
  const tick = ticker(services);
  let lastWaiting = started;
  let renewed = started;
  for (;;) {
    const now = table.now();
    try {
      if (now - started >= MAX_WATCH_MILLISECONDS) {
        await releaseLease(table, holder, false);
        return 'timed_out';
      }
      if (now - renewed >= RENEWAL_MILLISECONDS) {
        if (!(await renewLease(table, holder))) return 'superseded';
        renewed = now;
      }
      const waiting = await listWaiting(table);
      if (waiting.length > 0) lastWaiting = now;
      else if (now - lastWaiting >= LINGER_MILLISECONDS && (await releaseLease(table, holder, true)))
        return 'nothing_waits';
      await tick(waiting);
    } catch (error) {
      if (now - started >= MAX_WATCH_MILLISECONDS) throw error;
      services.onError(error);
    }
    await sleep(Math.max(MIN_PAUSE_MILLISECONDS, now + TICK_MILLISECONDS - table.now()));
  }
}

/** A waiting execution and what the watcher knows about it. */
interface Watched extends WaitingExecution {
  /** The wait item; undefined while the execution is not known to be in WaitForEnd. */
  item?: WaitItem | undefined;
  /** When to read the item again, milliseconds since 1970. */
  read_at: number;
  listed?: Listed | undefined;
}

/** Returns the tick of a watcher: it queries all tasks whose executions wait, and wakes those whose tasks have ended. */
function ticker(services: WatcherServices): (waiting: readonly WaitingExecution[]) => Promise<void> {
  const { table, wan, reserveQueries, wake, sleep, onError } = services;
  const known = new Map<string, Watched>();
  const memory = newQueryMemory();
  let refusedUntil = 0;

  async function readDue(): Promise<void> {
    const due = [...known.values()].filter((watched) => !watched.item && watched.read_at <= table.now());
    await settleAll(CONCURRENCY, due, async (watched) => {
      const item = await readWait(table, watched.id);
      watched.item = item?.token === undefined ? undefined : item;
      watched.read_at = table.now() + REREAD_MILLISECONDS;
    });
  }

  async function wakeOne(watched: Watched): Promise<void> {
    // Reads the current token: the execution may have written a new one since.
    const item = await readWait(table, watched.id);
    watched.item = undefined;
    watched.read_at = table.now() + REREAD_MILLISECONDS;
    if (item?.token === undefined || item.wake_after > table.now()) return;
    await wake(item.token);
    await removeToken(table, watched.id, item.token);
  }

  return async (waiting) => {
    const ids = new Set(waiting.map(({ id }) => id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const execution of waiting)
      if (known.get(execution.id)?.task_id !== execution.task_id) known.set(execution.id, { ...execution, read_at: 0 });
    await readDue();
    const now = table.now();
    if (now < refusedUntil) return;
    const asleep = [...known.values()].filter(({ item }) => item && item.wake_after <= now);
    if (asleep.length === 0) return;

    const { queries, finish } = planQueries(wan, asleep.map(asTask), memory, now);
    const results: QueryResults = { ended: new Set(), active: new Map(), refused: false };
    const asleepByTask = new Map(asleep.map((watched) => [watched.task_id, watched]));
    const wakeEnded = async () => {
      const ended = [...results.ended].flatMap((task_id) => asleepByTask.get(task_id) ?? []);
      for (const { task_id } of ended) asleepByTask.delete(task_id);
      const outcomes = await settleAll(CONCURRENCY, ended, wakeOne);
      for (const outcome of outcomes) if (outcome.status === 'rejected') onError(outcome.reason);
    };
    for (let sent = 0; sent < queries.length; sent += QUERIES_PER_RESERVATION) {
      const batch = queries.slice(sent, sent + QUERIES_PER_RESERVATION);
      const reserved = await reserveQueries(batch.length);
      if (!reserved) break;
      await settleAll(batch.length, [...batch.entries()], async ([index, query]) => {
        await sleep(Math.max(0, reserved.first + index * reserved.interval - table.now()));
        await query(results);
        await wakeEnded();
      });
    }
    finish(results);
    await wakeEnded();
    if (results.refused) refusedUntil = table.now() + REFUSAL_PAUSE_MILLISECONDS;
    for (const watched of asleep) watched.listed = results.active.get(watched.task_id) ?? watched.listed;
  };
}

const asTask = ({ task_id, model, item, listed }: Watched): WatchedTask => ({
  task_id,
  model,
  submitted: listed?.submitted ?? Date.parse(item!.submit_time),
  listed,
});
