import { setTimeout } from 'node:timers/promises';
import { closeWait, listWaiting } from '../polling/wait-item.ts';
import { unwatchedSeconds } from '../polling/watcher-lease.ts';
import { type Dispatcher, dispatch, startQueued } from '../queue/dispatch.ts';
import { runState, startWorkflow } from '../queue/execution.ts';
import { ensurePermit, type ModelQueue, pruneServed, readModelQueue } from '../queue/model-queue.ts';
import { needsPermit } from '../queue/release.ts';
import { idsInStatus } from '../queue/waiting.ts';
import { isTerminal, runsOf, type VideoRecord } from '../video/record.ts';
import { changeVideo, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';

/** A video whose execution died is restarted immediately; the next time after `second`, then after twice as long, up to an hour. */
const RESUME_SECONDS = { second: 10, max: 3600 };

/**
 * How often DescribeExecution is called. In the smaller regions it allows a burst of 250 and then 10 a second, and dispatchers and
 * operators call it too. A sweep has four minutes: in two and a half of them this is 1,600 calls.
 */
const DESCRIBE_CALLS = { burst: 100, interval_milliseconds: 100, max_milliseconds: 150_000 };

/** What a sweep did. */
interface SweepReport {
  resumed: string[];
  dispatched: string[];
  /** How many videos were not checked for lack of time: those whose records changed last. */
  left: number;
  /** When the first task expires at Wan whose video is not archived: ISO 8601; undefined when there is none. */
  first_expiry: string | undefined;
  /** How long executions have waited without a watcher that holds the lease. */
  unwatched_seconds: number;
  /** What could not be repaired, and why; the next sweep tries again. */
  failed: { step: string; error: unknown }[];
}

type Sleep = (milliseconds: number) => Promise<unknown>;

/**
 * Repairs what a crash may have left: restarts videos without a running execution, gives each video at Wan its permit, frees permits
 * that no video uses, and dispatches the model queues. Idempotent; a restart creates no second task, because an execution begins with
 * the submission ledger. A failure of one video or model queue does not affect the others.
 * @param models names of all models that have a queue
 */
export async function sweep(
  dispatcher: Dispatcher,
  models: readonly string[],
  sleep: Sleep = setTimeout,
): Promise<SweepReport> {
  const { table } = dispatcher;
  const report: SweepReport = {
    resumed: [],
    dispatched: [],
    left: 0,
    first_expiry: undefined,
    unwatched_seconds: 0,
    failed: [],
  };
  const collectErrors = (step: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => void report.failed.push({ step, error }));

  await collectErrors('watcher', async () => {
    report.unwatched_seconds = await unwatchedSeconds(table);
  });
  const open = await openVideos(dispatcher, collectErrors);
  report.first_expiry = open.flatMap(({ expires_at }) => expires_at ?? []).sort()[0];
  const began = table.now();
  for (const [index, { id }] of open.entries()) {
    const due = began + Math.max(0, index - DESCRIBE_CALLS.burst) * DESCRIBE_CALLS.interval_milliseconds;
    if (table.now() > began + DESCRIBE_CALLS.max_milliseconds) {
      report.left = open.length - index;
      break;
    }
    if (due > table.now()) await sleep(due - table.now());
    await collectErrors(id, async () => (await resumeWhenDead(dispatcher, id)) && report.resumed.push(id));
  }

  await collectErrors('waits', async () => {
    for (const { id } of await listWaiting(table)) await collectErrors(id, () => closeLeftWait(table, id));
  });
  for (const model of models) {
    await collectErrors(model, async () => {
      const queue = await readModelQueue(table, model);
      await pruneServed(table, model, queue);
      for (const id of queue.running) {
        await collectErrors(
          id,
          async () => (await startQueued(dispatcher, { id, model })) && report.dispatched.push(id),
        );
      }
      report.dispatched.push(...(await dispatch(dispatcher, model)));
    });
  }
  return report;
}

/** Closes the wait item that an execution left open when it died after its task had ended; otherwise the watcher never stops. */
async function closeLeftWait(table: Table, id: string): Promise<void> {
  const video = await readVideo(table, id);
  if (!video) await closeWait(table, { id, run: Number.MAX_SAFE_INTEGER });
  else if (isTerminal(video.status) || video.status === 'archiving') await closeWait(table, video);
}

interface OpenVideo {
  id: string;
  updated_at: string;
  /** When the task expires at Wan, while its video is not archived. */
  expires_at: string | undefined;
}

/**
 * Returns all videos that are under way, the least recently changed first: an execution that died is among them. A video at Wan without
 * a permit gets one: a process may have died between releasing it and reading the record again (`releaseResources`).
 */
async function openVideos(
  { table }: Dispatcher,
  collectErrors: (step: string, work: () => Promise<unknown>) => Promise<unknown>,
): Promise<OpenVideo[]> {
  const open = new Map<string, OpenVideo>();
  // Reading a model queue once is cheaper than a write per video, which costs by the item's size even when it changes nothing.
  const queues = new Map<string, ModelQueue>();
  async function holdsPermit({ id, model }: VideoRecord): Promise<boolean> {
    const queue = queues.get(model) ?? (await readModelQueue(table, model));
    queues.set(model, queue);
    return queue.running.has(id);
  }
  for (const status of ['archiving', 'running', 'submitting'] as const) {
    await collectErrors(status, async () => {
      for await (const id of idsInStatus(table, status)) {
        await collectErrors(id, async () => {
          const video = await readVideo(table, id);
          if (!video || !isUnderWay(video)) return;
          open.set(id, { id, updated_at: video.updated_at, expires_at: video.task?.expires_at });
          if (needsPermit(video) && !(await holdsPermit(video))) await ensurePermit(table, video.model, id);
        });
      }
    });
  }
  return [...open.values()].sort((one, other) => (one.updated_at < other.updated_at ? -1 : 1));
}

const isUnderWay = ({ status }: VideoRecord): boolean => !isTerminal(status) && status !== 'queued';

/** Restarts the execution of a video that has none. @returns whether it was restarted */
export async function resumeWhenDead({ table, workflow }: Dispatcher, id: string): Promise<boolean> {
  const video = await readVideo(table, id);
  if (!video || !isUnderWay(video)) return false;
  switch (await runState(workflow, video)) {
    case 'running':
      return false;
    case 'missing':
      // A dispatcher may do the same concurrently: both use the run's name, so there is one execution.
      await startWorkflow(workflow, video);
      return true;
    case 'ended': {
      const idle = (table.now() - Date.parse(video.updated_at)) / 1000;
      if (idle < resumeAfter(video)) return false;
      const next = await changeVideo(table, video, { set: { run: video.run + 1 } });
      if (next) await startWorkflow(workflow, next);
      return next !== undefined;
    }
  }
}

/** Returns the seconds after which a video is restarted, so that one that keeps failing is not restarted in a tight loop. */
function resumeAfter(video: VideoRecord): number {
  const runs = runsOf(video);
  return runs <= 1 ? 0 : Math.min(RESUME_SECONDS.max, RESUME_SECONDS.second * 2 ** (runs - 2));
}
