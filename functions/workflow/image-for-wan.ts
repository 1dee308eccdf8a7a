import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { errorNames, WorkflowError } from '../shared/errors.ts';
import type { StoredImage, VideoRecord } from '../video/record.ts';
import { modelOf } from '../video/task-request.ts';
import type { WanClient } from '../wan/client.ts';
import type { Held } from '../wan/refusals.ts';

/** `url`: Wan fetches a presigned URL. `upload`: the image goes through Wan's own temporary storage. */
export type ImageTransfer = 'url' | 'upload';

/** Presigned URLs die with the Lambda's session whatever they claim, so they are made fresh for each call and short. */
const PRESIGNED_SECONDS = 15 * 60;

/** The object of a stored image: exactly the version that was checked. */
const objectOf = (image: StoredImage) => ({ Bucket: image.bucket, Key: image.key, VersionId: image.version_id });

/**
 * How Wan is told the image: the caller's own URL as it is, or for an image that firstframe holds a presigned URL or an `oss://` URL.
 * @returns the URL, or why the account can't upload
 * @throws WorkflowError when Wan's upload is to be tried again, Error when the stored image can't be read
 */
export async function imageForWan(
  { s3, wan }: { s3: S3Client; wan: Pick<WanClient, 'uploadImage'> },
  video: VideoRecord,
  transfer: ImageTransfer,
): Promise<string | Held> {
  const { image } = video;
  if (!image) return video.input.img_url;
  const get = new GetObjectCommand(objectOf(image));
  if (transfer === 'url') return getSignedUrl(s3, get, { expiresIn: PRESIGNED_SECONDS });
  const { Body } = await s3.send(get);
  if (!Body) throw new Error(`The image of the video ${video.id} has no body.`);
  const uploaded = await wan.uploadImage({
    model: modelOf(video),
    name: image.key.slice(image.key.lastIndexOf('/') + 1),
    bytes: await Body.transformToByteArray(),
    content_type: image.content_type,
  });
  switch (uploaded.outcome) {
    case 'uploaded':
      return uploaded.url;
    case 'held':
      return uploaded;
    case 'throttled':
      throw new WorkflowError(errorNames.wanThrottled, `Wan is throttling uploads: ${uploaded.code}`);
    case 'unavailable':
      throw new WorkflowError(errorNames.wanUnavailable, `Wan took no upload: ${uploaded.cause}`);
  }
}
