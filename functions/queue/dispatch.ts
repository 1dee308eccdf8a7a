import type { VideoRecord } from '../video/record.ts';
import { changeStatus, readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import { startWorkflow, type Workflow } from './execution.ts';
import {
  claimPermit,
  ensurePermit,
  isPaused,
  MAX_SERVED,
  type ModelLimits,
  type ModelQueue,
  pruneServed,
  readModelQueue,
} from './model-queue.ts';
import { releaseResources } from './release.ts';
import { firstOfEachOwner, idsInStatus, lastServedOwner, type QueuedVideo, roundRobinOrder } from './waiting.ts';

/** The services that dispatch needs. */
export interface Dispatcher {
  table: Table;
  workflow: Workflow;
  limitsOf: (model: string) => ModelLimits | Promise<ModelLimits>;
}

/**
 * Gives free permits of a model queue to waiting videos and starts their executions, until all permits are held or no video waits.
 * The oldest video of the owner served longest ago comes first. One read of the queue serves a round of one video per owner. In a
 * paused queue, one video at a time probes whether Wan accepts the account again.
 *
 * Safe to run concurrently, and to crash after any write: the sweep calls `startQueued` for a queued video with a permit, and restarts
 * a `submitting` video without an execution.
 * @param include a new video that the index may not show yet
 * @param limit the maximum number of videos to start, for callers that must respond quickly
 * @returns the ids of the started videos
 */
export async function dispatch(
  dispatcher: Dispatcher,
  model: string,
  { include, limit = Number.POSITIVE_INFINITY }: { include?: QueuedVideo; limit?: number } = {},
): Promise<string[]> {
  const { table } = dispatcher;
  const limits = await dispatcher.limitsOf(model);
  const started: string[] = [];
  const attempted = new Set<string>();
  for (;;) {
    const queue = await readModelQueue(table, model);
    const free = limits.permits - queue.running.size;
    if (isPaused(queue, table.now()) || free <= 0) return started;
    const round = await nextRound(table, model, { queue, attempted, include });
    if (round.length === 0) return started;
    if (queue.served.size > MAX_SERVED) await pruneServed(table, model, queue);
    for (const next of round.slice(0, free)) {
      attempted.add(next.id);
      // In a paused queue only the first claim succeeds, because it moves the time of the next probe.
      if (!(await claimPermit(table, limits, next, queue))) return started;
      if (await startQueued(dispatcher, { id: next.id, model })) started.push(next.id);
      if (started.length >= limit) return started;
    }
  }
}

/** Returns the oldest waiting video of each owner, in the order of dispatch. */
async function nextRound(
  table: Table,
  model: string,
  {
    queue,
    attempted,
    include,
  }: { queue: ModelQueue; attempted: ReadonlySet<string>; include: QueuedVideo | undefined },
): Promise<QueuedVideo[]> {
  const started = new Set([...queue.running, ...attempted]);
  const waiting = await firstOfEachOwner(table, model, { started, after: lastServedOwner(queue) });
  if (include && !attempted.has(include.id) && !waiting.some(({ owner }) => owner === include.owner))
    waiting.push(include);
  return roundRobinOrder(waiting, queue);
}

/**
 * Starts a queued video that holds a permit. Releases the permit when the video is no longer queued and does not need it.
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
    // Another dispatcher started it with the same permit, or a cancellation or deletion releases the permit.
    if (!submitting) return false;
    // A process that read the video before this write may just have released its permit.
    await ensurePermit(table, model, id);
    await startWorkflow(workflow, { id, run: submitting.run });
    return true;
  }
  await releaseResources(table, video, { id, model });
  return false;
}

/**
 * Settles a video's cost, releases its permit and dispatches the next video, because its task has ended or was never created. Reads
 * the record again: after a retry in the meantime the video needs its permit.
 */
export async function releaseAndDispatch(
  dispatcher: Dispatcher,
  { id, model }: { id: string; model: string },
): Promise<void> {
  await releaseResources(dispatcher.table, await readVideo(dispatcher.table, id), { id, model });
  await dispatchNext(dispatcher, model);
}

/**
 * Dispatches the next video after another one released its permit. Ignores errors, which must not fail the other video's step; the
 * scheduled dispatch meets and logs them within a minute.
 */
export async function dispatchNext(dispatcher: Dispatcher, model: string): Promise<void> {
  await dispatch(dispatcher, model).catch(() => undefined);
}

/**
 * Returns a dispatch for a new video. It starts at most one video, which need not be the new one, so that the caller responds quickly.
 * Other waiting videos start with the next release.
 */
export const createVideoDispatch =
  (dispatcher: Dispatcher) =>
  async (video: VideoRecord): Promise<void> =>
    void (await dispatch(dispatcher, video.model, { include: video, limit: 1 }));

export interface SafeDispatch {
  /** Dispatches the video's model queue. */
  dispatch: (video: VideoRecord) => Promise<void>;
  /** Called with a video that stays queued for now, because dispatch failed. */
  onDispatchError: (video: VideoRecord, error: unknown) => void;
}

/**
 * Dispatches a new video. Never rejects: its record is written, so the next dispatch starts it.
 */
export const tryDispatch = ({ dispatch, onDispatchError }: SafeDispatch, video: VideoRecord): Promise<void> =>
  dispatch(video).catch((error: unknown) => onDispatchError(video, error));

/** A dispatcher that has not crashed starts the execution within this time after its write. */
const START_GRACE_SECONDS = 15;

/**
 * Starts the executions of videos whose dispatcher crashed between the write and the start, so that their permits are not idle until
 * the sweep. An execution's name is unique, so starting one again does nothing, and its state need not be queried.
 * @returns the ids of these videos
 */
export async function restartStuckStarts({
  table,
  workflow,
}: Pick<Dispatcher, 'table' | 'workflow'>): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'submitting')) {
    const video = await readVideo(table, id);
    if (video?.status !== 'submitting' || table.now() - Date.parse(video.updated_at) < START_GRACE_SECONDS * 1000)
      continue;
    await startWorkflow(workflow, video);
    ids.push(id);
  }
  return ids;
}
