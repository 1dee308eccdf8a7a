import { CopyObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isHandled } from '../drops/drop-identity.ts';
import { DEFAULTS_NAME, kindOf, nameOf } from '../drops/drop-key.ts';
import { type DroppedObject, findImageOf, findLatest } from '../drops/dropped-object.ts';
import { hasResult } from '../drops/result-object.ts';
import { settleAll, valuesOf } from '../shared/concurrency.ts';
import { copySource, ignoreNotFound, type ListedObject, listPage, UnreadableObject } from '../shared/s3.ts';
import { keys } from '../video/keys.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';

export interface DropFolder {
  table: Table;
  s3: Pick<S3Client, 'send'>;
  uploadsBucket: string;
}

export interface LostDropServices extends DropFolder {
  /** After how many days S3 deletes objects of the drop folder. @default never */
  retentionDays?: number | undefined;
  /** Sends an object to the drop function, as its event would. */
  accept: (object: DroppedObject) => Promise<void>;
}

/** Milliseconds. An event may be on its way for some minutes. What is older than a day is never paid for because of a listing. */
const AGES = { least: 10 * 60_000, most: 24 * 3600_000 };

/** 1,000 objects each: a folder of 100,000 files is listed once in 50 minutes. */
const PAGES_PER_RUN = 10;

/** After this time no further page is begun: the sweep has four minutes for all of its work. */
const TIME_LIMIT_MS = 30_000;

/** Objects that are looked up concurrently. */
const CONCURRENCY = 20;

/**
 * Accepts the objects of the drop folder whose events were lost: those of the last day for which neither a drop item nor a result
 * exists. Each run lists ten pages, from where the one before stopped. With a retention time, also keeps the settings of folders.
 * @returns how many were found
 * @throws AggregateError after all others were accepted; the next pass tries again
 */
export async function acceptLostDrops(services: LostDropServices): Promise<number> {
  const { table, accept } = services;
  const outcomes: PromiseSettledResult<boolean>[] = [];
  const began = table.now();
  let after = (await getItem<{ after?: string }>(table, keys.dropListing))?.after;
  for (let page = 0; page < PAGES_PER_RUN && table.now() < began + TIME_LIMIT_MS; page++) {
    const { objects, defaults, next } = await listDrops(services, after);
    const now = table.now();
    outcomes.push(...(await settleAll(CONCURRENCY, defaults, (listed) => keepDefaults(services, listed))));
    const recent = objects.filter(({ written }) => written <= now - AGES.least && written > now - AGES.most);
    outcomes.push(
      ...(await settleAll(CONCURRENCY, recent, async (listed) => {
        const lost = await findLost(services, listed);
        if (lost) await accept(lost);
        return lost !== undefined;
      })),
    );
    after = next;
    await updateItem(table, keys.dropListing, {
      UpdateExpression: after === undefined ? 'REMOVE #after' : 'SET #after = :after',
      ExpressionAttributeNames: { '#after': 'after' },
      ...(after === undefined ? {} : { ExpressionAttributeValues: { ':after': after } }),
    });
    if (after === undefined) break;
  }
  return valuesOf(outcomes, 'lost drops could not be accepted.').filter(Boolean).length;
}

/**
 * Counts images and manifests that are older than a day and have neither a drop item nor a result.
 * @param pages how many pages of 1,000 objects are listed at most
 */
export async function countForgottenDrops(
  folder: DropFolder,
  pages: number,
): Promise<{ count: number; isComplete: boolean }> {
  let count = 0;
  let after: string | undefined;
  for (let page = 0; page < pages; page++) {
    const { objects, next } = await listDrops(folder, after);
    const old = objects.filter(
      ({ key, written }) => written <= folder.table.now() - AGES.most && ['image', 'manifest'].includes(kindOf(key)),
    );
    const found = await settleAll(CONCURRENCY, old, (listed) => findLost(folder, listed));
    count += valuesOf(found, 'objects of the drop folder could not be looked up.').filter(Boolean).length;
    after = next;
    if (after === undefined) return { count, isComplete: true };
  }
  return { count, isComplete: false };
}

const DAY_MS = 24 * 3600_000;

/**
 * Copies a `_defaults.json` onto itself when half of the retention time is over: S3 counts from when an object was stored. Without its
 * settings, later images of the folder would become other videos than their owner wants to pay for.
 * @returns false, since it is no lost drop
 */
async function keepDefaults(
  { table, s3, uploadsBucket: Bucket, retentionDays }: LostDropServices,
  { key: Key, written }: ListedObject,
): Promise<false> {
  if (retentionDays === undefined || table.now() - written < (retentionDays * DAY_MS) / 2) return false;
  const copy = new CopyObjectCommand({
    Bucket,
    Key,
    CopySource: copySource({ bucket: Bucket, key: Key }),
    // S3 refuses a copy onto itself that changes nothing.
    MetadataDirective: 'REPLACE',
    ContentType: 'application/json',
  });
  await s3.send(copy).catch(ignoreNotFound);
  return false;
}

/** The images, sidecars and manifests of one page of the drop folder, its settings of folders, and the key to go on after. */
async function listDrops({ s3, uploadsBucket: Bucket }: DropFolder, after: string | undefined) {
  const { objects, isTruncated } = await listPage(s3, { Bucket, Prefix: 'drop/', StartAfter: after });
  return {
    objects: objects.filter(({ key }) => kindOf(key) !== 'other'),
    defaults: objects.filter(({ key }) => nameOf(key) === DEFAULTS_NAME),
    next: isTruncated ? objects.at(-1)?.key : undefined,
  };
}

/**
 * @returns the latest version of an object that was never handled and has no result; undefined for any other, and for one that S3
 *   refuses to return
 */
const findLost = (folder: DropFolder, listed: ListedObject): Promise<DroppedObject | undefined> =>
  lookUp(folder, listed).catch((error: unknown) => {
    if (error instanceof UnreadableObject) return undefined;
    throw error;
  });

async function lookUp(folder: DropFolder, { key, written }: ListedObject): Promise<DroppedObject | undefined> {
  const { s3, uploadsBucket: bucket } = folder;
  if (await isHandled(folder.table, { bucket, key }, Math.floor(written / 1000))) return undefined;
  const find = (at: { bucket: string; key: string }) => findLatest(s3, at.bucket, at.key);
  const object = await find({ bucket, key });
  if (kindOf(key) !== 'sidecar') return object && !(await hasResult(s3, object)) ? object : undefined;
  const image = await findImageOf({ bucket, key }, find);
  if (!image || (await hasResult(s3, image))) return undefined;
  // A new sidecar is no reason to pay for an old image whose own event was lost.
  const { last_modified = 0 } = image;
  const isOld = last_modified * 1000 <= folder.table.now() - AGES.most;
  return isOld && !(await isHandled(folder.table, image, last_modified)) ? undefined : object;
}
