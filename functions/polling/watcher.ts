import { settleAll } from '../shared/concurrency.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import { type Listed, newQueryMemory, planQueries, type QueryResults, type WatchedTask } from './plan-queries.ts';
import { anyWaiting, listWaiting, readWait, removeToken, type WaitItem, type Waiting } from './wait-item.ts';
import { acquireLease, LINGER_MILLISECONDS, releaseLease, renewLease } from './watcher-lease.ts';

/** From the beginning of one look to that of the next, in milliseconds. */
const TICK = 1500;
/** Between two looks, however long the first took. */
const LEAST_PAUSE = 20;
/** A watcher without a successor ends after this time, well within the function's timeout of 5 minutes. */
const LONGEST = 4 * 60_000;
/** Between two reads of the wait item of an execution that does not sleep: it was woken, or has not gone to sleep yet. */
const REREAD = 5000;
/** How long a refusal or throttling by Wan keeps the watcher from asking. */
const REFUSED = 60_000;
/** The most queries of one reservation: with more, the checks of tasks that have ended would wait behind a whole look. */
const RESERVATION = 8;
/** How many items are read, or executions woken, at once. */
const AT_ONCE = 20;

export interface WatcherServices {
  table: Table;
  wan: Pick<WanClient, 'queryTask' | 'listTasks'>;
  /**
   * Reserves moments for this many queries to Wan, one after the other.
   * @returns the first moment and the milliseconds from one to the next; undefined when all of the near future is reserved
   */
  reserveQueries: (count: number) => Promise<{ first: number; interval: number } | undefined>;
  /** Wakes the execution that wrote a token; does nothing when it no longer waits with it. */
  wake: (token: string) => Promise<void>;
  sleep: (milliseconds: number) => Promise<void>;
  /** Told of what went wrong in a tick: the next one tries again. */
  onError: (error: unknown) => void;
}

export type WatcherEnd = 'nothing_waits' | 'superseded' | 'time_is_up' | 'another_is_alive';

/**
 * Notices when tasks end and wakes the executions that wait for them. One works at a time: it holds a lease.
 * @param holder names this watcher
 * @param startedBy `schedule` takes the lease over, or ends at once when nothing waits; `create-task` only works when no other is alive
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
  if (!(await acquireLease(table, holder, startedBy === 'create-task'))) return 'another_is_alive';
  const tick = ticker(services);
  let lastWaiting = started;
  for (;;) {
    const now = table.now();
    try {
      if (now - started >= LONGEST) {
        await releaseLease(table, holder, false);
        return 'time_is_up';
      }
      if (!(await renewLease(table, holder))) return 'superseded';
      const waiting = await listWaiting(table);
      if (waiting.length > 0) lastWaiting = now;
      else if (now - lastWaiting >= LINGER_MILLISECONDS && (await releaseLease(table, holder, true)))
        return 'nothing_waits';
      await tick(waiting);
    } catch (error) {
      if (now - started >= LONGEST) throw error;
      services.onError(error);
    }
    await sleep(Math.max(LEAST_PAUSE, now + TICK - table.now()));
  }
}

/** What a watcher knows of an execution. */
interface Watched extends Waiting {
  /** Undefined while the execution does not sleep, as far as is known. */
  item?: WaitItem | undefined;
  /** When the item is to be read again, milliseconds since 1970. */
  read_at: number;
  listed?: Listed | undefined;
}

/** One watcher's ticks: each looks at all tasks whose executions sleep, and wakes those whose tasks have ended. */
function ticker(services: WatcherServices): (waiting: readonly Waiting[]) => Promise<void> {
  const { table, wan, reserveQueries, wake, sleep, onError } = services;
  const known = new Map<string, Watched>();
  const memory = newQueryMemory();
  let refusedUntil = 0;

  async function readDue(): Promise<void> {
    const due = [...known.values()].filter((watched) => !watched.item && watched.read_at <= table.now());
    await settleAll(AT_ONCE, due, async (watched) => {
      const item = await readWait(table, watched.id);
      watched.item = item?.token === undefined ? undefined : item;
      watched.read_at = table.now() + REREAD;
    });
  }

  async function wakeOne(watched: Watched): Promise<void> {
    // The token that counts now: the execution may have gone back to sleep with another one.
    const item = await readWait(table, watched.id);
    watched.item = undefined;
    watched.read_at = table.now() + REREAD;
    if (item?.token === undefined || item.wake_after > table.now()) return;
    await wake(item.token);
    await removeToken(table, watched.id, item.token);
  }

  return async (waiting) => {
    const ids = new Set(waiting.map(({ id }) => id));
    for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    for (const each of waiting)
      if (known.get(each.id)?.task_id !== each.task_id) known.set(each.id, { ...each, read_at: 0 });
    await readDue();
    const now = table.now();
    if (now < refusedUntil) return;
    const asleep = [...known.values()].filter(({ item }) => item && item.wake_after <= now);
    if (asleep.length === 0) return;

    const { queries, conclude } = planQueries(wan, asleep.map(asTask), memory, now);
    const look: QueryResults = { ended: new Set(), active: new Map(), refused: false };
    const asleepByTask = new Map(asleep.map((watched) => [watched.task_id, watched]));
    const wakeEnded = async () => {
      const ended = [...look.ended].flatMap((task_id) => asleepByTask.get(task_id) ?? []);
      for (const { task_id } of ended) asleepByTask.delete(task_id);
      const outcomes = await settleAll(AT_ONCE, ended, wakeOne);
      for (const outcome of outcomes) if (outcome.status === 'rejected') onError(outcome.reason);
    };
    for (let sent = 0; sent < queries.length; sent += RESERVATION) {
      const part = queries.slice(sent, sent + RESERVATION);
      const reserved = await reserveQueries(part.length);
      if (!reserved) break;
      await settleAll(part.length, [...part.entries()], async ([index, query]) => {
        await sleep(Math.max(0, reserved.first + index * reserved.interval - table.now()));
        await query(look);
        await wakeEnded();
      });
    }
    conclude(look);
    await wakeEnded();
    if (look.refused) refusedUntil = table.now() + REFUSED;
    for (const watched of asleep) watched.listed = look.active.get(watched.task_id) ?? watched.listed;
  };
}

const asTask = ({ task_id, model, item, listed }: Watched): WatchedTask => ({
  task_id,
  model,
  submitted: listed?.submitted ?? Date.parse(item!.submit_time),
  listed,
});
