import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import { ignoreNotFound } from '../shared/s3.ts';
import type { StoredMedia, VideoRecord } from '../video/record.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { AccountRefused } from '../wan/client/rejections.ts';
import type { MediaItem } from '../wan/media.ts';

/** `url`: Wan fetches a presigned URL. `upload`: the file is uploaded to Wan's temporary storage. */
export type MediaTransfer = 'url' | 'upload';

/** The stored version of a file was deleted; it cannot be restored. */
export interface MediaMissing {
  outcome: 'gone';
}

interface MediaServices {
  s3: S3Client;
  wan: Pick<WanClient, 'uploadFile'>;
}

/** Presigned URLs expire with the Lambda's session regardless of their lifetime, so each call signs new, short-lived ones. */
const PRESIGNED_SECONDS = 15 * 60;

/**
 * Returns a video's media with URLs for Wan: a caller's own URL unchanged; for a stored file a presigned or an `oss://` URL.
 * @returns the media, why Wan refuses the account's upload, or that the file to upload is gone. A presigned URL is created without
 * checking that its file exists
 * @throws WorkflowError wanThrottled or wanUnavailable when the upload can be retried, Error when a stored file cannot be read
 */
export async function resolveMediaUrls(
  services: MediaServices,
  video: VideoRecord,
  transfer: MediaTransfer,
): Promise<MediaItem[] | AccountRefused | MediaMissing> {
  const urlOf = (file: StoredMedia) =>
    transfer === 'url' ? presign(services, file) : upload(services, video.model, file);
  const media = await Promise.all(
    video.input.media.map(async ({ type, url, file }) => ({ type, url: file ? await urlOf(file) : url })),
  );
  const failed = media.map(({ url }) => url).find((url) => typeof url === 'object');
  return failed ?? (media as MediaItem[]);
}

/** Reads the version of the file that was validated. */
const getFile = ({ bucket, key, version_id }: StoredMedia) =>
  new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id });

const presign = ({ s3 }: MediaServices, file: StoredMedia): Promise<string> =>
  getSignedUrl(s3, getFile(file), { expiresIn: PRESIGNED_SECONDS });

async function upload(
  { s3, wan }: MediaServices,
  model: string,
  file: StoredMedia,
): Promise<string | AccountRefused | MediaMissing> {
  const object = await s3.send(getFile(file)).catch(ignoreNotFound);
  if (!object) return { outcome: 'gone' };
  const { Body } = object;
  if (!Body) throw new Error(`The file ${file.key} has no body.`);
  const uploaded = await wan.uploadFile({
    model,
    name: file.key.slice(file.key.lastIndexOf('/') + 1),
    bytes: await Body.transformToByteArray(),
    content_type: file.content_type,
  });
  switch (uploaded.outcome) {
    case 'uploaded':
      return uploaded.url;
    case 'account_refused':
      return uploaded;
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling uploads: ${uploaded.code}`);
    case 'unavailable':
      throw new WorkflowError(errorNames.wanUnavailable, `Could not upload to Wan: ${uploaded.cause}`);
  }
}
