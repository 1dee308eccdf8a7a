import { timeAndId } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { readVideo } from '../video/store.ts';
import type { Table } from '../video/table.ts';
import type { QueuePlace } from '../video/view.ts';
import { isHeld, type LaneState, type Pace, readLane } from './model-queue.ts';
import { inTurn, type Queue, readQueue, servedLast } from './waiting.ts';

/** A queued video's place; undefined for any other, and where it can't be told. Never rejects. */
export type PlaceInQueue = (video: VideoRecord) => Promise<QueuePlace | undefined>;

interface PlaceServices {
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

/** A model's queue and lane, as one look saw them. */
export interface QueueLook {
  queue: Queue;
  lane: LaneState;
  /** When the tasks that hold permits are expected to end, as far as that is known: milliseconds since 1970. */
  ends: readonly number[];
}

type Queued = Pick<VideoRecord, 'id' | 'owner' | 'created_at'>;

/**
 * How many videos are started before a queued one, and itself: by the order in which `dispatch` serves, if nobody comes or goes.
 * An owner's own older videos come first, and of each other owner as many, and one more where that owner's turn is earlier.
 * A video that the look does not show yet has the place that it will have.
 *
 * It tells its owner how busy the lane is, and nothing of who the others are or what they make (invariant 7): that is what waiting
 * means. Whoever counts closely can tell how many others wait, as they could by the clock.
 * @returns undefined where the look did not see the whole queue
 */
export function queuePosition({ queue, lane }: QueueLook, { id, owner, created_at }: Queued): number | undefined {
  if (!queue.isWhole) return undefined;
  const order = timeAndId(created_at, id);
  const older = (queue.owners.get(owner) ?? []).filter((other) => other < order).length;
  const owners = [...new Set([...queue.owners.keys(), owner])].sort();
  const turns = inTurn(around(owners, servedLast(lane)), lane);
  const turn = turns.findIndex((each) => each.owner === owner);
  const others = turns.map((each, index) => {
    if (index === turn) return 0;
    return Math.min(queue.owners.get(each.owner)?.length ?? 0, index < turn ? older + 1 : older);
  });
  return others.reduce((sum, before) => sum + before, older + 1);
}

/** Names in their order, beginning after one and around: so the queue is looked at (`firstOfEachOwner`). */
const around = (names: readonly string[], after = ''): { owner: string }[] =>
  [...names.filter((name) => name > after), ...names.filter((name) => name <= after)].map((owner) => ({ owner }));

/**
 * When a video at a position will be started, if all goes as usual: the queue is played forward. Each video takes the next permit that
 * is free or given back, not faster than submits may follow each other and not while the lane is held; its task begins when Wan
 * has a place for it.
 * @param typicalSeconds how long a task usually takes
 * @param now milliseconds since 1970
 * @returns milliseconds since 1970
 */
export function estimatedStart(
  position: number,
  look: Pick<QueueLook, 'lane' | 'ends'>,
  { pace, typicalSeconds, now }: { pace: Pace; typicalSeconds: number; now: number },
): number {
  const { lane } = look;
  const begin = isHeld(lane, now) ? Date.parse(lane.held_until!) : now;
  // Less than none where a permit was put back that another video had taken meanwhile.
  const free = pace.permits - lane.running.size;
  const ends = expectedEnds(look, typicalSeconds, now);
  let start = begin - pace.submit_interval_ms;
  for (let place = 1; place <= position; place++) {
    const permit = place <= free ? begin : ends[place - free - 1]!;
    start = Math.max(begin, permit, start + pace.submit_interval_ms);
    const placeAtWan = ends[ends.length - pace.concurrent_tasks] ?? start;
    ends.push(Math.max(start, placeAtWan) + typicalSeconds * 1000);
  }
  return start;
}

/** When each permit that is taken will be given back, soonest first: what is not known lies evenly spread over the time a task takes. */
function expectedEnds({ lane, ends }: Pick<QueueLook, 'lane' | 'ends'>, typicalSeconds: number, now: number): number[] {
  const unknown = Math.max(0, lane.running.size - ends.length);
  const spread = Array.from(
    { length: unknown },
    (_, index) => now + (typicalSeconds * 1000 * (index + 1)) / lane.running.size,
  );
  return [...ends.map((end) => Math.max(now, end)), ...spread].sort((one, other) => one - other);
}
