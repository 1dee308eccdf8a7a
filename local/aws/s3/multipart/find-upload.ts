import type { Call } from '../call.ts';
import { S3Error } from '../errors.ts';
import type { Services } from '../services.ts';
import type { Bucket, OpenUpload } from '../store/bucket.ts';

export interface FoundUpload {
  bucket: Bucket;
  upload: OpenUpload;
}

/** Finds the multipart upload that `uploadId` names for the call's key. @throws `NoSuchUpload` */
export function findUpload(call: Pick<Call, 'target' | 'query'>, services: Pick<Services, 'buckets'>): FoundUpload {
  const bucket = services.buckets.get(call.target.bucket);
  const uploadId = call.query.get('uploadId') ?? '';
  const upload = bucket.uploads.get(uploadId);
  if (upload?.key === call.target.key) return { bucket, upload };
  throw noSuchUpload(uploadId);
}

/** Uploads end while parts arrive: what was found must still be there at the commit. */
export function requireOpen({ bucket, upload }: FoundUpload): void {
  if (!bucket.uploads.has(upload.upload_id)) throw noSuchUpload(upload.upload_id);
}

function noSuchUpload(uploadId: string): S3Error {
  return new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { elements: { UploadId: uploadId } },
  );
}
