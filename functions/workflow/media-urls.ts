import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { StoredAudio, StoredImage, VideoRecord } from '../video/record.ts';
import type { ModelName } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { AccountRefused } from '../wan/client/rejections.ts';
import { modelOf } from './task-request.ts';

/** `url`: Wan fetches a presigned URL. `upload`: the file goes through Wan's own temporary storage. */
export type MediaTransfer = 'url' | 'upload';

/** Where Wan finds a video's picture and, if it has one, its sound. */
export interface MediaUrls {
  img_url: string;
  audio_url?: string;
}

/** A file that firstframe held has been deleted, and with it the version that was checked: it never comes back. */
export interface MediaMissing {
  outcome: 'gone';
}

interface MediaServices {
  s3: S3Client;
  wan: Pick<WanClient, 'uploadFile'>;
}

/** Presigned URLs die with the Lambda's session whatever they claim, so they are made fresh for each call and short. */
const PRESIGNED_SECONDS = 15 * 60;

/**
 * How Wan is told a video's media: the caller's own URLs as they are, or for a file that firstframe holds a presigned URL or an
 * `oss://` URL.
 * @returns the addresses, or why the account can't upload, or that a file to be uploaded is gone; a presigned URL is made without a look
 * @throws WorkflowError when Wan's upload is to be tried again, Error when a stored file can't be read
 */
export async function resolveMediaUrls(
  services: MediaServices,
  video: VideoRecord,
  transfer: MediaTransfer,
): Promise<MediaUrls | AccountRefused | MediaMissing> {
  const addressOf = (file: StoredImage | StoredAudio) =>
    transfer === 'url' ? presign(services, file) : upload(services, modelOf(video), file);
  const [img_url, audio_url] = await Promise.all([
    video.image ? addressOf(video.image) : video.input.img_url,
    video.audio ? addressOf(video.audio) : video.input.audio_url,
  ]);
  if (typeof img_url === 'object') return img_url;
  if (typeof audio_url === 'object') return audio_url;
  return { img_url, ...(audio_url === undefined ? {} : { audio_url }) };
}

/** Exactly the version of a file that was checked. */
const getFile = ({ bucket, key, version_id }: StoredImage | StoredAudio) =>
  new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id });

const presign = ({ s3 }: MediaServices, file: StoredImage | StoredAudio): Promise<string> =>
  getSignedUrl(s3, getFile(file), { expiresIn: PRESIGNED_SECONDS });

async function upload(
  { s3, wan }: MediaServices,
  model: ModelName,
  file: StoredImage | StoredAudio,
): Promise<string | AccountRefused | MediaMissing> {
  const found = await s3.send(getFile(file)).catch(ignoreMissing);
  if (!found) return { outcome: 'gone' };
  const { Body } = found;
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
      throw new WorkflowError(errorNames.wanUnavailable, `Wan took no upload: ${uploaded.cause}`);
  }
}

/** The SDK knows no class for a version that is gone. @returns nothing @throws any other error */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof NoSuchKey || (error instanceof Error && error.name === 'NoSuchVersion')) return;
  throw error;
}
