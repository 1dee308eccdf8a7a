import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { closeTombstone, readTombstone } from '../video/deletion.ts';
import type { Table } from '../video/table.ts';

export interface DeletionServices extends ObjectStores {
  table: Table;
}

/** While a deletion is young its objects are looked for at each call: whoever deleted may have died before them. */
const YOUNG_SECONDS = 5 * 60;

/**
 * After this time nobody brings an object any more: an archive or a submit that began before the deletion is cut off after 15
 * minutes at the latest.
 */
const OLD_SECONDS = 3600;

/**
 * Sees to it that deleted videos leave no object: what a crash between tombstone and objects left is deleted, and an hour later what
 * came after the deletion; then the tombstone is closed. Whatever goes wrong with one keeps no other from its turn.
 * @returns ids of the videos whose deletion is finished for good
 * @throws AggregateError after all had their turn; the next call tries again
 */
export async function finishDeletions(services: DeletionServices): Promise<string[]> {
  const { table } = services;
  const finished: string[] = [];
  const errors: unknown[] = [];
  for await (const id of idsInStatus(table, 'deleting')) {
    try {
      if (await finish(services, id)) finished.push(id);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} deletions could not be finished.`);
  return finished;
}

/** @returns whether nothing is left to do */
async function finish(services: DeletionServices, id: string): Promise<boolean> {
  const { table } = services;
  const tombstone = await readTombstone(table, id);
  if (!tombstone) return false;
  const age = (table.now() - Date.parse(tombstone.deleted_at)) / 1000;
  if (age > YOUNG_SECONDS && age < OLD_SECONDS) return false;
  await deleteObjectsOf(services, id);
  if (age < OLD_SECONDS) return false;
  await closeTombstone(table, id);
  return true;
}

/** Where the objects of videos lie. */
export interface ObjectStores {
  s3: Pick<S3Client, 'send'>;
  videosBucket: string;
  uploadsBucket: string;
}

/**
 * Deletes every object of a video in every version, delete markers too: the files of its downloads and its own copies of its picture
 * and sound. A picture in the drop folder is its owner's file and stays. Deleting twice is deleting once.
 */
export async function deleteObjectsOf({ s3, videosBucket, uploadsBucket }: ObjectStores, id: string): Promise<void> {
  await deleteAllBelow(s3, videosBucket, `${id}/`);
  await deleteAllBelow(s3, uploadsBucket, `inputs/${id}/`);
}

async function deleteAllBelow(s3: ObjectStores['s3'], bucket: string, prefix: string): Promise<void> {
  for (let isMore = true; isMore; ) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }));
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    }
    // What was listed is gone, so the next page is the first.
    isMore = page.IsTruncated === true;
  }
}
