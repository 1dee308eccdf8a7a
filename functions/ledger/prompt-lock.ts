import { timeToLive } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { readVideo } from '../video/store.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { itemExpiry } from './task-lifetime.ts';

/*
 * A shared/exclusive lock per model and prompt. A lost task can be recognized in Wan's task list only by its prompt, so while one
 * video is uncertain, no other may create a task with the same prompt. A holder is one attempt that the ledger holds open. Attempts are
 * unique, so a release never removes the holder of another one. Holders whose attempt the ledger has settled are ignored and removed.
 *
 * The item expires three days after its last change. An uncertain attempt fails after 24 hours, when Wan's list no longer shows its
 * task, so an expired holder protects nothing.
 */

/** One paid attempt of one video. */
interface Holder {
  id: string;
  attempt: number;
}

/** The state of the other holders whose attempts are open. */
interface OtherHolders {
  /** Whether another video's call may be in progress. */
  sending: boolean;
  /** Whether another video is uncertain. */
  uncertain: boolean;
}

type LockTarget = Pick<VideoRecord, 'model' | 'input'>;
const lockKey = ({ model, input }: LockTarget): string => keys.promptLock(model, input.prompt);

/** The DynamoDB item; its sets hold holders as text. */
interface LockItem {
  in_flight?: ReadonlySet<string>;
  uncertain?: ReadonlySet<string>;
}

/** Whether another video is uncertain, so that this one must wait. */
export async function isPromptLocked(table: Table, video: VideoRecord): Promise<boolean> {
  const lock = await getItem<LockItem>(table, lockKey(video));
  return (await removeSettled(table, video, readHolders(lock?.uncertain))).length > 0;
}

/**
 * Acquires the lock, shared, for the attempt that the video's ledger holds open.
 * @returns false while another video is uncertain
 */
export async function acquirePromptLock(table: Table, video: VideoRecord): Promise<boolean> {
  const acquired = await updateItem(table, lockKey(video), {
    UpdateExpression: 'ADD in_flight :holders SET #ttl = :ttl',
    ConditionExpression: 'attribute_not_exists(uncertain)',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':holders': writeHolders(holderOf(video)), ':ttl': itemExpiry(table.now()) },
  });
  return acquired !== undefined;
}

/** Makes the lock exclusive, because the response to this video's open attempt was lost. No other video can acquire it from now on. */
export async function escalatePromptLock(table: Table, video: VideoRecord): Promise<OtherHolders> {
  const lock = await updateItem<LockItem>(table, lockKey(video), {
    UpdateExpression: 'ADD uncertain :holders SET #ttl = :ttl',
    ExpressionAttributeNames: { '#ttl': timeToLive },
    ExpressionAttributeValues: { ':holders': writeHolders(holderOf(video)), ':ttl': itemExpiry(table.now()) },
  });
  const inFlight = readHolders(lock?.in_flight).filter(({ id }) => id !== video.id);
  const others = await removeSettled(table, video, inFlight);
  const isUncertain = (holder: Holder) => lock?.uncertain?.has(writeHolder(holder)) === true;
  return { sending: !others.every(isUncertain), uncertain: others.some(isUncertain) };
}

/** Releases the lock after the outcome of the video's latest attempt was written. */
export const releasePromptLock = (table: Table, video: VideoRecord): Promise<void> =>
  removeHolders(table, video, [holderOf(video)]);

/**
 * Removes holders whose attempt is settled: their process crashed between the ledger write and the release.
 * @returns the holders whose attempts are still open
 */
async function removeSettled(table: Table, target: LockTarget, holders: readonly Holder[]): Promise<Holder[]> {
  const open: Holder[] = [];
  const settled: Holder[] = [];
  for (const holder of holders) {
    (isAttemptOpen(await readVideo(table, holder.id), holder.attempt) ? open : settled).push(holder);
  }
  if (settled.length > 0) await removeHolders(table, target, settled);
  return open;
}

const isAttemptOpen = (video: VideoRecord | undefined, attempt: number): boolean =>
  video?.status === 'submitting' && video.submission?.state === 'open' && video.submission.attempt === attempt;

async function removeHolders(table: Table, target: LockTarget, holders: readonly Holder[]): Promise<void> {
  await updateItem(table, lockKey(target), {
    UpdateExpression: 'DELETE uncertain :holders, in_flight :holders',
    // Without this condition the update would recreate an expired lock item, without a time to live.
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':holders': writeHolders(...holders) },
  });
}

const holderOf = ({ id, submission }: VideoRecord): Holder => ({ id, attempt: submission!.attempt });
const writeHolder = ({ id, attempt }: Holder): string => `${id}#${attempt}`;
const writeHolders = (...holders: readonly Holder[]): Set<string> => new Set(holders.map(writeHolder));
const readHolders = (written: ReadonlySet<string> = new Set()): Holder[] =>
  [...written].map((text) => {
    const [id = '', attempt] = text.split('#');
    return { id, attempt: Number(attempt) };
  });
