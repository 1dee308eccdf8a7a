import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { readVideo } from '../video/store.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { expiry } from './task-lifetime.ts';

/*
 * The fence around one prompt for one model. Wan's task list tells a lost task by its prompt alone, so while anybody is unsure
 * whether such a task exists, nobody else may create one that looks the same. Who stands in it is known by tickets, one for each
 * attempt that the ledger holds open: no two attempts share one, so none takes away another's, and a ticket that the ledger knows
 * the outcome of is worth nothing.
 *
 * A fence may be forgotten three days after its last entry. An attempt whose answer was lost is given up after 24 hours, when Wan's
 * list can't tell of it any more (`forgotten`), so whoever stands in a fence for longer keeps nobody from a double; and tickets in one
 * that has expired and is still there are held against the ledger as ever.
 */

/** One paid attempt of one video. */
interface Holder {
  id: string;
  attempt: number;
}

/** Everybody else in a fence whose call is not decided. */
interface OtherHolders {
  /** Whether a call of another video may be under way. */
  sending: boolean;
  /** Whether another video lost an answer and is finding out what became of it. */
  uncertain: boolean;
}

type LockTarget = Pick<VideoRecord, 'model' | 'input'>;
const keyOf = ({ model, input }: LockTarget): string => keys.submission(model, input.prompt);

/** The item: tickets as text. */
interface LockItem {
  in_flight?: ReadonlySet<string>;
  uncertain?: ReadonlySet<string>;
}

/** @returns whether another video is uncertain, so that this one had better wait */
export async function isPromptLocked(table: Table, video: VideoRecord): Promise<boolean> {
  const fence = await getItem<LockItem>(table, keyOf(video));
  return (await removeDecided(table, video, readHolders(fence?.uncertain))).length > 0;
}

/**
 * Enters the fence to make the attempt that the video's ledger holds open.
 * @returns false while another video is uncertain
 */
export async function acquirePromptLock(table: Table, video: VideoRecord): Promise<boolean> {
  const entered = await updateItem(table, keyOf(video), {
    UpdateExpression: 'ADD in_flight :tickets SET #ttl = :ttl',
    ConditionExpression: 'attribute_not_exists(uncertain)',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':tickets': writeHolders(holderOf(video)), ':ttl': expiry(table.now()) },
  });
  return entered !== undefined;
}

/** Says that the answer to this video's open attempt is lost: from now on nobody else sends the same prompt to the same model. */
export async function escalatePromptLock(table: Table, video: VideoRecord): Promise<OtherHolders> {
  const fence = await updateItem<LockItem>(table, keyOf(video), {
    UpdateExpression: 'ADD uncertain :tickets SET #ttl = :ttl',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':tickets': writeHolders(holderOf(video)), ':ttl': expiry(table.now()) },
  });
  const inFlight = readHolders(fence?.in_flight).filter(({ id }) => id !== video.id);
  const others = await removeDecided(table, video, inFlight);
  const isUncertain = (ticket: Holder) => fence?.uncertain?.has(writeHolder(ticket)) === true;
  return { sending: !others.every(isUncertain), uncertain: others.some(isUncertain) };
}

/** Leaves the fence: what became of this video's latest attempt is known and written down. */
export const releasePromptLock = (table: Table, video: VideoRecord): Promise<void> =>
  removeHolders(table, video, [holderOf(video)]);

/**
 * Takes out of a fence whoever died between writing down what became of an attempt and leaving: nobody would get past them again.
 * @returns the tickets of attempts that are still unknown
 */
async function removeDecided(table: Table, place: LockTarget, tickets: readonly Holder[]): Promise<Holder[]> {
  const unknown: Holder[] = [];
  const decided: Holder[] = [];
  for (const ticket of tickets) {
    (isOpen(await readVideo(table, ticket.id), ticket.attempt) ? unknown : decided).push(ticket);
  }
  if (decided.length > 0) await removeHolders(table, place, decided);
  return unknown;
}

const isOpen = (video: VideoRecord | undefined, attempt: number): boolean =>
  video?.status === 'submitting' && video.submission?.state === 'open' && video.submission.attempt === attempt;

async function removeHolders(table: Table, place: LockTarget, tickets: readonly Holder[]): Promise<void> {
  await updateItem(table, keyOf(place), {
    UpdateExpression: 'DELETE uncertain :tickets, in_flight :tickets',
    // A fence that was forgotten would come back, and stay: without an entry it has no time to live.
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':tickets': writeHolders(...tickets) },
  });
}

const holderOf = ({ id, submission }: VideoRecord): Holder => ({ id, attempt: submission!.attempt });
const writeHolder = ({ id, attempt }: Holder): string => `${id}#${attempt}`;
const writeHolders = (...tickets: readonly Holder[]): Set<string> => new Set(tickets.map(writeHolder));
const readHolders = (written: ReadonlySet<string> = new Set()): Holder[] =>
  [...written].map((text) => {
    const [id = '', attempt] = text.split('#');
    return { id, attempt: Number(attempt) };
  });
