import { timeAndId } from './keys.ts';
import { isHeld, type LaneState } from './lane.ts';
import type { Pace } from './limits.ts';
import type { Queue } from './queue.ts';
import type { VideoRecord } from './record.ts';
import { inTurn, servedLast } from './turns.ts';

/** A model's queue and lane, as one look saw them. */
export interface QueueLook {
  queue: Queue;
  lane: LaneState;
  /** When the tasks that hold permits are expected to end, as far as that is known: milliseconds since 1970. */
  ends: readonly number[];
}

/** Where a queued video stands. */
export interface QueuePlace {
  /** 1 is the next to be started. */
  queue_position: number;
  /** ISO 8601 UTC. */
  estimated_start_at: string;
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
