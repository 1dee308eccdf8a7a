import { DeleteObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';

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
