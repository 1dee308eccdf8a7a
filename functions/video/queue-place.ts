import { timeAndId } from './keys.ts';
import { readLane } from './lane.ts';
import type { Pace } from './limits.ts';
import { readQueue } from './queue.ts';
import { estimatedStart, type QueueLook, type QueuePlace, queuePosition } from './queue-position.ts';
import type { VideoRecord } from './record.ts';
import { readVideo, type Table } from './store.ts';

/** A queued video's place; undefined for any other, and where it can't be told. Never rejects. */
export type PlaceInQueue = (video: VideoRecord) => Promise<QueuePlace | undefined>;

export interface PlaceServices {
  table: Table;
  paceOf: (model: string) => Pace;
  /** How long such a video's task usually takes. */
  typicalSeconds: (video: VideoRecord) => Promise<number>;
  /** Told of a video whose place could not be told. */
  logUnplaced: (video: VideoRecord, error: unknown) => void;
}

/** How old a look may be, in milliseconds: so a queue is read once in this time, however many ask. */
const LOOK_MILLISECONDS = 5000;

interface Latest {
  at: number;
  look: Promise<QueueLook>;
  /** Those that wait and that the look does not show, by id: submitted since, or missing from the index yet. */
  newcomers: Map<string, VideoRecord>;
}

/**
 * Tells places by one look at a queue for all who ask within a few seconds, one that failed included. Whoever was told a place since
 * then counts for those behind.
 */
export function placeInQueueOf({ table, paceOf, typicalSeconds, logUnplaced }: PlaceServices): PlaceInQueue {
  const looks = new Map<string, Latest>();

  function latest(model: string): Latest {
    const known = looks.get(model);
    if (known && table.now() < known.at + LOOK_MILLISECONDS) return known;
    const fresh = { at: table.now(), look: lookAt(table, model), newcomers: new Map<string, VideoRecord>() };
    looks.set(model, fresh);
    return fresh;
  }

  async function tell(video: VideoRecord): Promise<QueuePlace | undefined> {
    const { at, look, newcomers } = latest(video.model);
    const shown = await look;
    if (!isShown(shown, video)) newcomers.set(video.id, video);
    const seen = withNewcomers(shown, newcomers.values());
    const position = queuePosition(seen, video);
    if (position === undefined) return undefined;
    const rhythm = { pace: paceOf(video.model), typicalSeconds: await typicalSeconds(video), now: at };
    const start = Math.ceil(estimatedStart(position, seen, rhythm) / 1000) * 1000;
    return { queue_position: position, estimated_start_at: new Date(start).toISOString() };
  }

  return async (video) => {
    if (video.status !== 'queued') return undefined;
    try {
      return await tell(video);
    } catch (error) {
      logUnplaced(video, error);
      return undefined;
    }
  };
}

const isShown = ({ lane, queue }: QueueLook, { id, owner, created_at }: VideoRecord): boolean =>
  lane.running.has(id) || queue.owners.get(owner)?.includes(timeAndId(created_at, id)) === true;

function withNewcomers(look: QueueLook, newcomers: Iterable<VideoRecord>): QueueLook {
  const owners = new Map(look.queue.owners);
  for (const { id, owner, created_at } of newcomers) {
    owners.set(owner, [...(owners.get(owner) ?? []), timeAndId(created_at, id)]);
  }
  return { ...look, queue: { ...look.queue, owners } };
}

/** Of so many running videos the records are read, to know when they end. */
const MOST_RECORDS = 50;

async function lookAt(table: Table, model: string): Promise<QueueLook> {
  const lane = await readLane(table, model);
  const [queue, running] = await Promise.all([
    readQueue(table, model, lane.running),
    Promise.all([...lane.running].slice(0, MOST_RECORDS).map((id) => readVideo(table, id))),
  ]);
  const ends = running.flatMap((video) => video?.estimated_finish_at ?? []).map((time) => Date.parse(time));
  return { lane, queue, ends };
}
