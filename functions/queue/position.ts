import { timeAndId } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import type { QueuePosition } from '../video/view.ts';
import { isPaused, type ModelPace, type ModelQueue, readModelQueue } from './model-queue.ts';
import { lastServedOwner, type Queue, readQueue, roundRobinOrder } from './waiting.ts';

/** A queued video's position and estimated start; undefined for any other, and where they cannot be determined. Never rejects. */
export type ReadQueuePosition = (video: VideoRecord) => Promise<QueuePosition | undefined>;

interface QueuePositionServices {
  table: Table;
  paceOf: (model: string) => Pick<ModelPace, 'concurrent_tasks'>;
  /** How long such a video's task usually takes. */
  typicalSeconds: (video: VideoRecord) => Promise<number>;
  /** Called with a video whose position could not be determined. */
  onError: (video: VideoRecord, error: unknown) => void;
}

/** A model's queue and lane at one time. */
export interface QueueSnapshot {
  queue: Queue;
  model_queue: ModelQueue;
}

/** How long a snapshot is used, in milliseconds: however many ask, a queue is read once in this time. */
const SNAPSHOT_MILLISECONDS = 5000;

/** Answers from a snapshot that is shared for a few seconds, also one that failed. A video that it lacks takes a new one. */
export function createQueuePositionReader({
  table,
  paceOf,
  typicalSeconds,
  onError,
}: QueuePositionServices): ReadQueuePosition {
  type Shared = { at: number; reading: Promise<QueueSnapshot> };
  const latest = new Map<string, Shared>();

  function shared(model: string, stale?: Shared): Shared {
    const known = latest.get(model);
    if (known && known !== stale && table.now() < known.at + SNAPSHOT_MILLISECONDS) return known;
    const fresh = { at: table.now(), reading: readSnapshot(table, model) };
    latest.set(model, fresh);
    return fresh;
  }

  async function placeOf(video: VideoRecord): Promise<QueuePosition | undefined> {
    let used = shared(video.model);
    if (isMissing(await used.reading, video)) used = shared(video.model, used);
    const { at } = used;
    const snapshot = await used.reading;
    const position = queuePosition(snapshot, video);
    if (position === undefined) return undefined;
    const rounds = Math.ceil(position / paceOf(video.model).concurrent_tasks);
    const begin = isPaused(snapshot.model_queue, at) ? Date.parse(snapshot.model_queue.paused_until!) : at;
    const start = begin / 1000 + rounds * (await typicalSeconds(video));
    return { queue_position: position, estimated_start_at: new Date(Math.ceil(start) * 1000).toISOString() };
  }

  return async (video) => {
    if (video.status !== 'queued') return undefined;
    try {
      return await placeOf(video);
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

/** Whether a video was submitted after the snapshot, or was not in the index yet. */
const isMissing = ({ model_queue, queue }: QueueSnapshot, { id, owner, created_at }: VideoRecord): boolean =>
  queue.isWhole && !model_queue.running.has(id) && !queue.owners.get(owner)?.includes(timeAndId(created_at, id));

/**
 * How many videos are started before a queued one, and itself: by the order in which `dispatch` serves, if nobody comes or goes.
 * An owner's own older videos come first, and of each other owner as many, and one more where that owner's turn is earlier.
 * A video that the snapshot does not show yet has the position that it will have.
 *
 * It shows an owner how busy the queue is, and nothing of who the others are or what they make (invariant 7).
 * @returns undefined where the snapshot is not of the whole queue
 */
export function queuePosition(
  { queue, model_queue }: QueueSnapshot,
  { id, owner, created_at }: Pick<VideoRecord, 'id' | 'owner' | 'created_at'>,
): number | undefined {
  if (!queue.isWhole) return undefined;
  const order = timeAndId(created_at, id);
  const older = (queue.owners.get(owner) ?? []).filter((other) => other < order).length;
  const names = [...new Set([...queue.owners.keys(), owner])].sort();
  // Beginning after the owner served last and around, as `firstOfEachOwner` reads the queue.
  const last = lastServedOwner(model_queue) ?? '';
  const around = [...names.filter((name) => name > last), ...names.filter((name) => name <= last)];
  const turns = roundRobinOrder(
    around.map((name) => ({ owner: name })),
    model_queue,
  );
  const own = turns.findIndex((turn) => turn.owner === owner);
  return turns.reduce((position, turn, index) => {
    if (index === own) return position;
    return position + Math.min(queue.owners.get(turn.owner)?.length ?? 0, index < own ? older + 1 : older);
  }, older + 1);
}
