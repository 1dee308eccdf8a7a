import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** How long a link is good, in seconds. */
export const LINK_SECONDS = 900;

/** One version of an object; without its version, the newest. */
export interface ObjectVersion {
  bucket: string;
  key: string;
  version_id?: string;
}

/** What a browser is told of an object: what to call it when it is saved, and its type where S3 may not know it. */
export interface FileDescription {
  /** Plain ASCII without quotes. */
  file_name: string;
  content_type?: string;
}

/** A presigned URL of an object, good for `LINK_SECONDS`: whoever has it needs no key. S3 itself serves ranges of it. */
export const linkToObject = (
  s3: S3Client,
  { bucket, key, version_id }: ObjectVersion,
  { file_name, content_type }: FileDescription,
): Promise<string> =>
  getSignedUrl(
    s3,
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      VersionId: version_id,
      ResponseContentDisposition: `inline; filename="${file_name}"`,
      ResponseContentType: content_type,
    }),
    { expiresIn: LINK_SECONDS },
  );
