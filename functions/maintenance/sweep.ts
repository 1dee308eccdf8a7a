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

/** A video whose workflow died is resumed at once; when it dies again after this time, then after twice as long, up to an hour. */
const RESUME_SECONDS = { second: 10, longest: 3600 };

/**
 * How often Step Functions is asked for an execution: in the smaller regions DescribeExecution allows 250 at once and then 10 a
 * second, and a dispatcher or an operator may be asking too. In two and a half of the four minutes that a sweep has, that is 1,600.
 */
const QUESTIONS = { at_once: 100, milliseconds_apart: 100, longest_milliseconds: 150_000 };

/** How long it is remembered when an owner was served. */
const SERVED_MILLISECONDS = 24 * 3600_000;

/** What a sweep did, for its log. */
interface SweepReport {
  resumed: string[];
  dispatched: string[];
  /** How many videos there was no time for: those whose records changed last. */
  left: number;
  /** When Wan forgets the first of the tasks whose videos are not archived yet: ISO 8601; undefined when there is none. */
  first_expiry: string | undefined;
  /** For how long executions have waited without a living watcher. */
  unwatched_seconds: number;
  /** What could not be looked after, and why; the next sweep tries again. */
  failed: { step: string; error: unknown }[];
}

type Waits = (milliseconds: number) => Promise<unknown>;

/**
 * Looks after everything that a crash may have left behind: videos without a living workflow are resumed, each video at Wan has its
 * permit, permits of the dead are freed, queues are dispatched. Safe at any time, any number of times; resuming never creates a
 * second task, since a resumed workflow begins with the ledger. Whatever goes wrong with one video or lane keeps no other from its
 * turn.
 * @param models names of all models that have a lane
 */
export async function sweep(
  dispatcher: Dispatcher,
  models: readonly string[],
  sleep: Waits = setTimeout,
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
  const attend = (step: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => void report.failed.push({ step, error }));

  await attend('watcher', async () => {
    report.unwatched_seconds = await unwatchedSeconds(table);
  });
  const open = await openVideos(dispatcher, attend);
  report.first_expiry = open.flatMap(({ expires_at }) => expires_at ?? []).sort()[0];
  const began = table.now();
  for (const [index, { id }] of open.entries()) {
    const due = began + Math.max(0, index - QUESTIONS.at_once) * QUESTIONS.milliseconds_apart;
    if (table.now() > began + QUESTIONS.longest_milliseconds) {
      report.left = open.length - index;
      break;
    }
    if (due > table.now()) await sleep(due - table.now());
    await attend(id, async () => (await resumeWhenDead(dispatcher, id)) && report.resumed.push(id));
  }

  await attend('waits', async () => {
    for (const { id } of await listWaiting(table)) await attend(id, () => closeLeftWait(table, id));
  });
  for (const model of models) {
    await attend(model, async () => {
      const lane = await readModelQueue(table, model);
      await pruneServed(table, model, lane, table.now() - SERVED_MILLISECONDS);
      for (const id of lane.running) {
        await attend(id, async () => (await startQueued(dispatcher, { id, model })) && report.dispatched.push(id));
      }
      report.dispatched.push(...(await dispatch(dispatcher, model)));
    });
  }
  return report;
}

/** Closes the wait item that an execution left open when it died after its task had ended: the watcher would never be done. */
async function closeLeftWait(table: Table, id: string): Promise<void> {
  const video = await readVideo(table, id);
  if (!video) await closeWait(table, { id, run: Number.MAX_SAFE_INTEGER });
  else if (isTerminal(video.status) || video.status === 'archiving') await closeWait(table, video);
}

interface OpenVideo {
  id: string;
  updated_at: string;
  /** Of the task at Wan whose video is not archived yet. */
  expires_at: string | undefined;
}

/**
 * All videos that are under way, those first whose records have not changed for longest: the dead, where there are any. Those at Wan
 * get their permit, should a process have died between giving it back and its second look (`giveBack`).
 */
async function openVideos(
  { table }: Dispatcher,
  attend: (what: string, work: () => Promise<unknown>) => Promise<unknown>,
): Promise<OpenVideo[]> {
  const open = new Map<string, OpenVideo>();
  // A lane is read once, not written once for each of its videos: a write costs by the lane's size, even where it changes nothing.
  const lanes = new Map<string, ModelQueue>();
  async function holdsPermit({ id, model }: VideoRecord): Promise<boolean> {
    const lane = lanes.get(model) ?? (await readModelQueue(table, model));
    lanes.set(model, lane);
    return lane.running.has(id);
  }
  for (const status of ['archiving', 'running', 'submitting'] as const) {
    await attend(status, async () => {
      for await (const id of idsInStatus(table, status)) {
        await attend(id, async () => {
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

/**
 * Starts a video's workflow again when no execution works on it.
 * @returns whether it was started
 */
export async function resumeWhenDead({ table, workflow }: Dispatcher, id: string): Promise<boolean> {
  const video = await readVideo(table, id);
  if (!video || !isUnderWay(video)) return false;
  switch (await runState(workflow, video)) {
    case 'running':
      return false;
    case 'missing':
      // A dispatcher may be about to do the same: the run's name sees to it that there is one execution.
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

/** A workflow that keeps dying for the same reason is not started in a tight loop. */
function resumeAfter(video: VideoRecord): number {
  const runs = runsOf(video);
  return runs <= 1 ? 0 : Math.min(RESUME_SECONDS.longest, RESUME_SECONDS.second * 2 ** (runs - 2));
}
