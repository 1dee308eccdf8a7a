import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { closeTombstone, readTombstone } from '../video/deletion.ts';
import type { Table } from '../video/table.ts';

export interface DeletionServices extends ObjectStores {
  table: Table;
}

/** During this time after a deletion each call deletes the objects, because the original deletion may have crashed. */
const RETRY_SECONDS = 5 * 60;

/**
 * After this time no process writes an object for the video: an archive or submission that began before the deletion times out after
 * at most 15 minutes.
 */
const FINAL_SECONDS = 3600;

/**
 * Deletes the objects of deleted videos: those that a crash after the tombstone left, and after an hour those that were written after
 * the deletion. Then closes the tombstone. An error with one video does not stop the others.
 * @returns the ids of the videos whose deletion is complete
 * @throws AggregateError after all videos were processed; the next call tries again
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
  if (errors.length > 0) throw new AggregateError(errors, `Could not finish ${errors.length} deletions.`);
  return finished;
}

/** @returns whether nothing is left to do */
async function finish(services: DeletionServices, id: string): Promise<boolean> {
  const { table } = services;
  const tombstone = await readTombstone(table, id);
  if (!tombstone) return false;
  const age = (table.now() - Date.parse(tombstone.deleted_at)) / 1000;
  if (age > RETRY_SECONDS && age < FINAL_SECONDS) return false;
  await deleteObjectsOf(services, id);
  if (age < FINAL_SECONDS) return false;
  await closeTombstone(table, id);
  return true;
}

/** The buckets with the objects of videos. */
export interface ObjectStores {
  s3: Pick<S3Client, 'send'>;
  videosBucket: string;
  uploadsBucket: string;
}

/**
 * Deletes every object of a video in every version, including delete markers: its downloads and its copies of image and audio. An
 * image in the drop folder belongs to its owner and stays. Idempotent.
 */
export async function deleteObjectsOf({ s3, videosBucket, uploadsBucket }: ObjectStores, id: string): Promise<void> {
  await deletePrefix(s3, videosBucket, `${id}/`);
  await deletePrefix(s3, uploadsBucket, `inputs/${id}/`);
}

async function deletePrefix(s3: ObjectStores['s3'], bucket: string, prefix: string): Promise<void> {
  for (let isMore = true; isMore; ) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }));
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    }
    // The listed versions are gone, so the first page is the next one.
    isMore = page.IsTruncated === true;
  }
}
