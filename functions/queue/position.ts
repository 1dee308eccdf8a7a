import { timeAndId } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import type { QueuePosition } from '../video/view.ts';
import { isPaused, type ModelPace, type ModelQueue, readModelQueue } from './model-queue.ts';
import { lastServedOwner, type Queue, readQueue, roundRobinOrder } from './waiting.ts';

/** Returns a queued video's position and estimated start; undefined for any other video, or when they are unknown. Never rejects. */
export type ReadQueuePosition = (video: VideoRecord) => Promise<QueuePosition | undefined>;

interface QueuePositionServices {
  table: Table;
  paceOf: (model: string) => Pick<ModelPace, 'concurrent_tasks'> | Promise<Pick<ModelPace, 'concurrent_tasks'>>;
  /** Returns the typical duration of the video's task in seconds. */
  typicalSeconds: (video: VideoRecord) => Promise<number>;
  /** Called when a video's position could not be determined. */
  onError: (video: VideoRecord, error: unknown) => void;
}

/** A model queue and its waiting videos, read at one time. */
export interface QueueSnapshot {
  queue: Queue;
  model_queue: ModelQueue;
}

/** How long a snapshot is shared: a queue is read once in this time, regardless of the number of requests. */
const SNAPSHOT_MILLISECONDS = 5000;

/** Reads positions from a snapshot that is shared for 5 s, even if reading it failed. A video missing from it causes a new one. */
export function createQueuePositionReader({
  table,
  paceOf,
  typicalSeconds,
  onError,
}: QueuePositionServices): ReadQueuePosition {
  type SharedSnapshot = { at: number; reading: Promise<QueueSnapshot> };
  const latest = new Map<string, SharedSnapshot>();

  function sharedSnapshot(model: string, stale?: SharedSnapshot): SharedSnapshot {
    const known = latest.get(model);
    if (known && known !== stale && table.now() < known.at + SNAPSHOT_MILLISECONDS) return known;
    const fresh = { at: table.now(), reading: readSnapshot(table, model) };
    latest.set(model, fresh);
    return fresh;
  }

  async function positionOf(video: VideoRecord): Promise<QueuePosition | undefined> {
    let used = sharedSnapshot(video.model);
    if (isMissing(await used.reading, video)) used = sharedSnapshot(video.model, used);
    const { at } = used;
    const snapshot = await used.reading;
    const position = queuePosition(snapshot, video);
    if (position === undefined) return undefined;
    const batches = Math.ceil(position / (await paceOf(video.model)).concurrent_tasks);
    const begin = isPaused(snapshot.model_queue, at) ? Date.parse(snapshot.model_queue.paused_until!) : at;
    const start = begin / 1000 + batches * (await typicalSeconds(video));
    return { queue_position: position, estimated_start_at: new Date(Math.ceil(start) * 1000).toISOString() };
  }

  return async (video) => {
    if (video.status !== 'queued') return undefined;
    try {
      return await positionOf(video);
    } catch (error) {
      onError(video, error);
      return undefined;
    }
  };
}

async function readSnapshot(table: Table, model: string): Promise<QueueSnapshot> {
  const model_queue = await readModelQueue(table, model);
  return { model_queue, queue: await readQueue(table, model, model_queue.running) };
}

/** Whether a video was created after the snapshot, or the index did not show it yet. */
const isMissing = ({ model_queue, queue }: QueueSnapshot, { id, owner, created_at }: VideoRecord): boolean =>
  queue.isWhole && !model_queue.running.has(id) && !queue.owners.get(owner)?.includes(timeAndId(created_at, id));

/**
 * Returns a video's position in the order of dispatch, from 1, if no video is added or removed. Before it come the owner's older
 * videos, and of each other owner as many, plus one for owners served earlier. Also works for a video that the snapshot lacks.
 *
 * The position shows how busy the queue is, but nothing about other owners or their videos (invariant 7).
 * @returns undefined when the snapshot does not cover the whole queue
 */
export function queuePosition(
  { queue, model_queue }: QueueSnapshot,
  { id, owner, created_at }: Pick<VideoRecord, 'id' | 'owner' | 'created_at'>,
): number | undefined {
  if (!queue.isWhole) return undefined;
  const order = timeAndId(created_at, id);
  const older = (queue.owners.get(owner) ?? []).filter((other) => other < order).length;
  const names = [...new Set([...queue.owners.keys(), owner])].sort();
  // Starts after the owner served last and wraps around, as `firstOfEachOwner` does.
  const last = lastServedOwner(model_queue) ?? '';
  const rotated = [...names.filter((name) => name > last), ...names.filter((name) => name <= last)];
  const owners = roundRobinOrder(
    rotated.map((name) => ({ owner: name })),
    model_queue,
  );
  const own = owners.findIndex((each) => each.owner === owner);
  return owners.reduce((position, each, index) => {
    if (index === own) return position;
    return position + Math.min(queue.owners.get(each.owner)?.length ?? 0, index < own ? older + 1 : older);
  }, older + 1);
}
