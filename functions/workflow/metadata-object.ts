import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { causeName } from '../media/cause-name.ts';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { VideoRecord } from '../video/record.ts';
import { viewOf } from '../video/view.ts';

/** Where what is known of an archived video lies: beside its MP4, under its name. */
export const metadataKey = (key: string): string => key.replace(/\.mp4$/, '.json');

/**
 * Writes a video as the API shows it beside its MP4, so that the bucket alone tells what lies in it.
 * @param video as it will be once it has succeeded
 * @returns the version that was written, in a versioned bucket
 * @throws WorkflowError archiveInterrupted when S3 does not take it
 */
export async function storeMetadata(
  { s3, bucket }: { s3: Pick<S3Client, 'send'>; bucket: string },
  key: string,
  video: VideoRecord,
): Promise<string | undefined> {
  const object = new PutObjectCommand({
    Bucket: bucket,
    Key: metadataKey(key),
    Body: `${JSON.stringify(viewOf(video), null, 2)}\n`,
    ContentType: 'application/json',
  });
  try {
    return (await s3.send(object)).VersionId;
  } catch (error) {
    throw new WorkflowError(errorNames.archiveInterrupted, `The metadata could not be stored: ${causeName(error)}.`);
  }
}
