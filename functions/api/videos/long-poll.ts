import { randomInt } from 'node:crypto';
import type { LongPollLimits } from '../../shared/environment.ts';
import { keys } from '../../video/keys.ts';
import { isTerminal, type VideoRecord } from '../../video/record.ts';
import { readVideo } from '../../video/store.ts';
import { getItem, type Table, updateItem } from '../../video/table.ts';
import type { VideoView } from '../../video/view.ts';
import { headerValues, type RequestHeaders } from '../http/request.ts';

/** The longest that a request is kept open, in seconds: API Gateway times out after 29. */
export const LONGEST_WAIT_SECONDS = 25;

/** Pauses between two reads of the record, in milliseconds: they grow by `longer` up to `longest`. */
const pause = { first: 250, longer: 50, longest: 1000 };

export interface LongPollServices {
  table: Table;
  /** @param milliseconds to wait */
  sleep: (milliseconds: number) => Promise<void>;
  longPolls: LongPollLimits;
}

/**
 * Reads a video repeatedly (strongly consistent) until a condition holds or the time is up. It holds a slot meanwhile, and does not wait
 * when all slots are held or the table fails: a response that comes too early costs its client another request, an error its work.
 * @param video the current record; returned immediately when `until` already holds
 * @param options.seconds the longest wait; 0 does not wait
 * @returns the last record read, undefined when the video was deleted meanwhile; and whether a slot was free
 */
export async function waitForChange(
  { table, sleep, longPolls }: LongPollServices,
  video: VideoRecord,
  { seconds, until }: { seconds: number; until: (now: VideoRecord) => boolean },
): Promise<{ video: VideoRecord | undefined; waited: boolean }> {
  const deadline = table.now() + seconds * 1000;
  if (seconds <= 0 || until(video)) return { video, waited: true };
  const slot = await acquireSlot(table, video.owner, longPolls, deadline).catch(() => undefined);
  if (!slot) return { video, waited: false };
  try {
    let now = video;
    for (let next = pause.first; !until(now); next = Math.min(pause.longest, next + pause.longer)) {
      const left = deadline - table.now();
      if (left <= 0) break;
      await sleep(Math.min(next, left));
      const read = await readVideo(table, video.id);
      if (!read) return { video: undefined, waited: true };
      now = read;
    }
    return { video: now, waited: true };
  } finally {
    // If this fails, the slot expires.
    await releaseSlot(table, slot).catch(() => undefined);
  }
}

/** A slot that is held: `<owner>#<number>`, and when it expires, in milliseconds since 1970. */
interface Slot {
  name: string;
  until: number;
}
interface SlotsItem {
  slots?: Record<string, number>;
}

/** A slot outlives its request by this, so that only the slot of a crashed function expires while it is held. */
const GRACE_MILLISECONDS = 2000;
/** No slot is held longer. One that expires later was written by a clock that has been set back since, and counts as expired. */
const LONGEST_SLOT_MILLISECONDS = (LONGEST_WAIT_SECONDS + 5) * 1000;
/** Another attempt follows a concurrent request that took the same slot. */
const MAX_ATTEMPTS = 10;
/** This many names of slots fit into the 4 KB of an update expression. */
const MAX_EXPIRED = 25;

/**
 * Acquires a slot. All slots are in one item. Each owner has numbered slots of its own, so owners do not compete for one; the condition
 * on the size of the map keeps the total.
 * @returns undefined when the owner, or all owners together, hold as many as allowed
 */
async function acquireSlot(
  table: Table,
  owner: string,
  { per_owner, total }: LongPollLimits,
  deadline: number,
): Promise<Slot | undefined> {
  const until = deadline + GRACE_MILLISECONDS;
  const numbered = Array.from({ length: per_owner }, (_, number) => `${owner}#${number}`);
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
    const item = await getItem<SlotsItem>(table, keys.longPolls);
    const slots = item?.slots ?? {};
    if (!item?.slots) await createSlots(table);
    const expired = Object.entries(slots).filter(([, end]) => isExpired(end, table.now()));
    const isFree = (name: string) => !(name in slots) || expired.some(([other]) => other === name);
    const free = numbered.filter(isFree);
    if (free.length === 0 || Object.keys(slots).length - expired.length >= total) return undefined;
    const slot = { name: free[randomInt(free.length)]!, until };
    if (await writeSlot(table, slot, expired.slice(0, MAX_EXPIRED), slots[slot.name], total)) return slot;
  }
  return undefined;
}

const isExpired = (until: number, now: number): boolean => until <= now || until > now + LONGEST_SLOT_MILLISECONDS;

/** DynamoDB cannot set a path in a map that does not exist. */
const createSlots = (table: Table) =>
  updateItem(table, keys.longPolls, {
    UpdateExpression: 'SET slots = :none',
    ConditionExpression: 'attribute_not_exists(slots)',
    ExpressionAttributeValues: { ':none': {} },
  });

/**
 * Writes a slot, and removes expired ones.
 * @param previous the expiry of the slot's last holder, which has crashed
 * @returns false when one of these slots has changed since it was read, or a concurrent request took the last one
 */
async function writeSlot(
  table: Table,
  { name, until }: Slot,
  expired: readonly [name: string, until: number][],
  previous: number | undefined,
  total: number,
): Promise<boolean> {
  const removed = expired.filter(([other]) => other !== name);
  const isCounted = previous !== undefined;
  const written = await updateItem(table, keys.longPolls, {
    UpdateExpression: [
      'SET slots.#slot = :until',
      ...(removed.length > 0 ? [`REMOVE ${removed.map((_, index) => `slots.#${index}`).join(', ')}`] : []),
    ].join(' '),
    ConditionExpression: [
      isCounted ? 'slots.#slot = :previous' : 'attribute_not_exists(slots.#slot)',
      'size(slots) < :most',
      ...removed.map((_, index) => `slots.#${index} = :${index}`),
    ].join(' AND '),
    ExpressionAttributeNames: {
      '#slot': name,
      ...Object.fromEntries(removed.map(([other], index) => [`#${index}`, other])),
    },
    ExpressionAttributeValues: {
      ':until': until,
      // The map still contains what this write removes and replaces.
      ':most': total + removed.length + (isCounted ? 1 : 0),
      ...(isCounted ? { ':previous': previous } : {}),
      ...Object.fromEntries(removed.map(([, end], index) => [`:${index}`, end])),
    },
  });
  return written !== undefined;
}

/** Releases a slot, unless it has expired and another request holds it. */
const releaseSlot = (table: Table, { name, until }: Slot) =>
  updateItem(table, keys.longPolls, {
    UpdateExpression: 'REMOVE slots.#slot',
    ConditionExpression: 'slots.#slot = :until',
    ExpressionAttributeNames: { '#slot': name },
    ExpressionAttributeValues: { ':until': until },
  });

/** An element of a comma-separated list. Commas in quotes, closed or not, do not separate. */
const element = /(?:[^,"]|"(?:\\.|[^"\\])*(?:"|\\?$))+/g;

/**
 * The seconds of `Prefer: wait=N` (RFC 7240, section 4.3), reduced to at most 25. Other and invalid preferences are ignored.
 * @returns undefined without a wait
 */
export function preferredWait(request: RequestHeaders): number | undefined {
  const preferences = headerValues(request, 'prefer').flatMap((value) => value.match(element) ?? []);
  const [seconds] = preferences.flatMap((preference) => {
    const [, token, quoted] = /^\s*wait\s*=\s*(?:(\d+)|"(\d+)")\s*(?:;.*)?$/i.exec(preference) ?? [];
    return token || quoted ? [Number(token || quoted)] : [];
  });
  return seconds ? Math.min(seconds, LONGEST_WAIT_SECONDS) : undefined;
}

/** `Retry-After` of a video without an expected finish, in seconds. */
const UNKNOWN_SECONDS = 5;
/** How long archiving usually takes, in seconds. */
const ARCHIVING_SECONDS = 4;
/** The longest `Retry-After`, in seconds: a video may end sooner than expected. */
const LONGEST_SECONDS = 30;

/**
 * `Retry-After` of a video in progress, 1 to 30 seconds: half of the time left until its expected finish (or start, while queued), or a
 * tenth of the time by which it is overdue. No header for a terminal status.
 */
export function retryAfter(
  video: Pick<VideoView, 'status' | 'estimated_start_at' | 'estimated_finish_at' | 'updated_at'>,
  now: number,
): Record<string, string> {
  if (isTerminal(video.status)) return {};
  const change = expectedChange(video);
  const left = change === undefined ? 2 * UNKNOWN_SECONDS : (change - now) / 1000;
  const seconds = left > 0 ? left / 2 : -left / 10;
  return { 'retry-after': String(Math.ceil(Math.min(LONGEST_SECONDS, Math.max(1, seconds)))) };
}

/** When the next status change is expected, in milliseconds since 1970. */
function expectedChange({
  status,
  estimated_start_at,
  estimated_finish_at = estimated_start_at,
  updated_at,
}: Parameters<typeof retryAfter>[0]) {
  if (status === 'archiving') return Date.parse(updated_at) + ARCHIVING_SECONDS * 1000;
  return estimated_finish_at === undefined ? undefined : Date.parse(estimated_finish_at);
}
