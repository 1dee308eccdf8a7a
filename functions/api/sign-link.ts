import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ArchivedVideo } from '../video/record.ts';

/** How long a link to a video is good, in seconds. */
export const LINK_SECONDS = 900;

/** A presigned URL of exactly the version that was archived: whoever has it needs no key. */
export const signLink = (
  s3: S3Client,
  { bucket, key, version_id }: Pick<ArchivedVideo, 'bucket' | 'key' | 'version_id'>,
): Promise<string> =>
  getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id }), {
    expiresIn: LINK_SECONDS,
  });
