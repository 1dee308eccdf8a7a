import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { closeTombstone, readTombstone } from '../video/deletion.ts';
import type { Table } from '../video/table.ts';

export interface DeletionServices extends ObjectStores {
  table: Table;
}

/** During this time the objects of a deleted video are deleted at each call: the process that deleted it may have died before. */
const YOUNG_SECONDS = 5 * 60;

/** After this time no process stores an object of a deleted video: one that began before the deletion ends within 15 minutes. */
const OLD_SECONDS = 3600;

/**
 * Deletes the objects of deleted videos: those that a crash after the tombstone left, and an hour later those that were stored after
 * the deletion. Then it closes the tombstone.
 * @returns ids of the videos whose deletion is finished
 * @throws AggregateError after all others were processed; the next call tries again
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

/** @returns whether the deletion is finished */
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

/** The buckets that hold the objects of videos. */
export interface ObjectStores {
  s3: Pick<S3Client, 'send'>;
  videosBucket: string;
  uploadsBucket: string;
}

/**
 * Deletes every version and delete marker of a video's objects: its downloads and its copies of image and audio. An image in the drop
 * folder is its owner's file and stays. Idempotent.
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
    // The listed objects are deleted, so the next page is the first.
    isMore = page.IsTruncated === true;
  }
}
