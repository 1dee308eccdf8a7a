import type { VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { startWorkflow, type Workflow } from './execution.ts';
import {
  claimPermit,
  ensurePermit,
  isPaused,
  type ModelLimits,
  type ModelQueue,
  readModelQueue,
} from './model-queue.ts';
import { releaseResources } from './release.ts';
import { firstOfEachOwner, idsInStatus, lastServedOwner, roundRobinOrder, type Waiting } from './waiting.ts';

/** What dispatching takes. */
export interface Dispatcher {
  table: Table;
  workflow: Workflow;
  limitsOf: (model: string) => ModelLimits;
}

/**
 * Gives free permits of a model's lane to waiting videos and starts their workflows: the oldest video of the owner who was
 * served longest ago, again and again, until the lane is full or nobody waits. One look into the queue serves a round: each
 * waiting owner's turn comes before anybody's second. In a paused queue one video at a time probes whether Wan serves the account
 * again.
 *
 * Safe to run anywhere, any number of times at once. It may die after each of its writes: a claimed permit of a queued video is
 * carried on by `carryOn`, a `submitting` record without an execution by the sweep.
 * @param also a video that was just written and that the index may not show yet
 * @param most how many to start at most, where somebody waits for the answer
 * @returns ids of the videos that were started
 */
export async function dispatch(
  dispatcher: Dispatcher,
  model: string,
  { include, limit = Number.POSITIVE_INFINITY }: { include?: Waiting; limit?: number } = {},
): Promise<string[]> {
  const { table } = dispatcher;
  const lane = dispatcher.limitsOf(model);
  const started: string[] = [];
  const passed = new Set<string>();
  for (;;) {
    const state = await readModelQueue(table, model);
    const free = lane.permits - state.running.size;
    if (isPaused(state, table.now()) || free <= 0) return started;
    const round = await nextRound(table, model, { state, passed, include });
    if (round.length === 0) return started;
    for (const next of round.slice(0, free)) {
      passed.add(next.id);
      // In a paused queue only the first claim succeeds: it moves the time of the next probe.
      if (!(await claimPermit(table, lane, next, state))) return started;
      if (await startQueued(dispatcher, { id: next.id, model })) started.push(next.id);
      if (started.length >= limit) return started;
    }
  }
}

/** Of each waiting owner the oldest video, in the order in which they are served. */
async function nextRound(
  table: Table,
  model: string,
  { state, passed, include }: { state: ModelQueue; passed: ReadonlySet<string>; include: Waiting | undefined },
): Promise<Waiting[]> {
  const started = new Set([...state.running, ...passed]);
  const waiting = await firstOfEachOwner(table, model, { started, after: lastServedOwner(state) });
  if (include && !passed.has(include.id) && !waiting.some(({ owner }) => owner === include.owner))
    waiting.push(include);
  return roundRobinOrder(waiting, state);
}

/**
 * Starts a queued video that holds a permit. A permit whose video can't use it is given back.
 * @returns whether this call started the video
 */
export async function startQueued(
  dispatcher: Dispatcher,
  { id, model }: { id: string; model: string },
): Promise<boolean> {
  const { table, workflow } = dispatcher;
  const video = await readVideo(table, id);
  if (video?.status === 'queued') {
    const submitting = await changeStatus(table, video, 'submitting', { set: { run: video.run + 1 } });
    // It moved on. Another dispatcher uses the same permit; whoever canceled or deleted it gives that back.
    if (!submitting) return false;
    // Somebody who saw the video before this may just have given its permit back.
    await ensurePermit(table, model, id);
    await startWorkflow(workflow, { id, run: submitting.run });
    return true;
  }
  await releaseResources(table, video, { id, model });
  return false;
}

/**
 * Settles what a video cost, gives its permit back, since Wan's task has ended or never began, and lets the next one in. The record
 * is read anew: a caller who had the video tried again meanwhile may have given it to a new task, which needs its permit.
 */
export async function releaseAndDispatch(
  dispatcher: Dispatcher,
  { id, model }: { id: string; model: string },
): Promise<void> {
  await releaseResources(dispatcher.table, await readVideo(dispatcher.table, id), { id, model });
  await dispatchNext(dispatcher, model);
}

/**
 * Dispatches on behalf of a video that has nothing to do with whoever comes next: what goes wrong with that one must not reach it.
 * The dispatch of the next minute meets the same trouble, and there it is heard.
 */
export async function dispatchNext(dispatcher: Dispatcher, model: string): Promise<void> {
  await dispatch(dispatcher, model).catch(() => undefined);
}

/**
 * Lets a video's lane have a look at it and start one video, whichever is next. One is enough for whoever brought the video to wait
 * for; who else waits is started by the next release.
 */
export const dispatchOnFor =
  (dispatcher: Dispatcher) =>
  async (video: VideoRecord): Promise<void> =>
    void (await dispatch(dispatcher, video.model, { include: video, limit: 1 }));

export interface SafeDispatch {
  /** Lets the lane take the video if it has room. */
  dispatch: (video: VideoRecord) => Promise<void>;
  /** Told of a video that stays in its queue for now, because dispatch failed. */
  onDispatchError: (video: VideoRecord, error: unknown) => void;
}

/**
 * Lets a video's lane have a look at it. Its record stands already, so a lane that can't be reached is no reason to fail whoever
 * brought it: the next dispatch takes the video.
 */
export const tryDispatch = ({ dispatch, onDispatchError }: SafeDispatch, video: VideoRecord): Promise<void> =>
  dispatch(video).catch((error: unknown) => onDispatchError(video, error));

/** A dispatcher that lives starts a workflow within moments of writing that it will. */
const MOMENTS_SECONDS = 15;

/**
 * Starts the workflows of videos whose dispatcher died between its record's write and the start: they hold their permits, and whoever
 * waits behind them would wait for the sweep. A run's name sees to it that what was started is not started again, so nobody has to be asked.
 * @returns ids of the videos that were looked after
 */
export async function restartStuckStarts({
  table,
  workflow,
}: Pick<Dispatcher, 'table' | 'workflow'>): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'submitting')) {
    const video = await readVideo(table, id);
    if (video?.status !== 'submitting' || table.now() - Date.parse(video.updated_at) < MOMENTS_SECONDS * 1000) continue;
    await startWorkflow(workflow, video);
    ids.push(id);
  }
  return ids;
}
