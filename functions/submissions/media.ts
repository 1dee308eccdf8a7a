import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type AudioFacts, audioLimits, inspectAudio } from '../media/audio.ts';
import { type ImageFacts, inspectImage, type RotatedImages } from '../media/image.ts';
import type { Issue, Warning } from '../shared/issues.ts';
import { invalidRequest } from '../shared/problem.ts';
import { sha256Hex } from '../video/keys.ts';
import type { ObjectVersion, StoredAudio, StoredImage } from '../video/record.ts';
import { findModel } from '../wan/catalogue.ts';
import { type InlineFile, uploadNotFound } from '../wan/validation/urls.ts';
import type { CheckedBody } from './check-body.ts';
import { copyUpload, type InspectedUpload, inputKey, inspectUpload, type UploadVersion, writeOnce } from './uploads.ts';

type S3 = Pick<S3Client, 'send'>;

/** A valid file that came within the request or was uploaded before. */
type ValidFile<Facts> = InlineFile<Facts> | { upload: UploadVersion; facts: Facts };

/** The files of a request that firstframe holds, before they are stored for the video. */
export interface RequestMedia {
  image: ValidFile<ImageFacts> | undefined;
  audio: ValidFile<AudioFacts> | undefined;
  /** About the uploads. */
  warnings: Warning[];
}

/** Inspects the uploads that a request names. @throws ProblemError 400 for those that are missing or that the model does not accept */
export async function inspectMedia(
  s3: S3,
  { request: { model, input }, inline }: Pick<CheckedBody, 'request' | 'inline'>,
  rotatedImages: RotatedImages | undefined,
): Promise<RequestMedia> {
  const { img_url, audio_url } = input;
  const limits = findModel(model).image;
  const [image, audio] = await Promise.all([
    isUpload(img_url)
      ? inspectUpload(s3, img_url, limits.max_bytes, (bytes, size) => inspectImage(bytes, size, limits, rotatedImages))
      : undefined,
    isUpload(audio_url) ? inspectUpload(s3, audio_url, audioLimits.max_bytes, inspectAudio) : undefined,
  ]);
  if (image?.ok === false || audio?.ok === false) {
    throw invalidRequest([...issuesOf('/input/img_url', image), ...issuesOf('/input/audio_url', audio)]);
  }
  const warnings = [...issuesOf('/input/img_url', image), ...issuesOf('/input/audio_url', audio)];
  return { image: inline.img_url ?? image, audio: inline.audio_url ?? audio, warnings };
}

/**
 * Stores the files of a request for its video.
 * @param bucket where they are stored
 * @throws ProblemError 400 for an upload that was deleted since it was inspected; some of the files may be stored by then
 */
export async function storeMedia(
  services: { s3: S3; bucket: string },
  id: string,
  { image, audio }: RequestMedia,
): Promise<{ image?: StoredImage; audio?: StoredAudio }> {
  const [storedImage, storedAudio] = await Promise.all([
    image && storeFile(services, id, image, '/input/img_url'),
    audio && storeFile(services, id, audio, '/input/audio_url'),
  ]);
  return { ...(storedImage ? { image: storedImage } : {}), ...(storedAudio ? { audio: storedAudio } : {}) };
}

const isUpload = (url: string | undefined): url is string => url?.startsWith('s3://') ?? false;

const issuesOf = (pointer: string, inspected: InspectedUpload<unknown> | undefined): Issue[] =>
  (inspected?.ok ? inspected.warnings : (inspected?.issues ?? [])).map((issue) => ({ pointer, ...issue }));

async function storeFile<Facts extends { content_type: string }>(
  { s3, bucket }: { s3: S3; bucket: string },
  id: string,
  file: ValidFile<Facts>,
  pointer: string,
): Promise<ObjectVersion & Facts> {
  const { facts } = file;
  const stored =
    'upload' in file
      ? await copyUpload(s3, file.upload, id)
      : await storeInline(s3, bucket, id, { bytes: file.content, content_type: facts.content_type });
  if (!stored) throw invalidRequest([{ pointer, ...uploadNotFound }]);
  return { ...stored, ...facts };
}

/**
 * Stores a file below its video's id, outside the drop folder, so that it starts nothing. Its name holds the hash of its bytes and
 * is written once: repeated and concurrent requests leave one object, and nothing overwrites what a record names.
 */
export async function storeInline(
  s3: S3,
  bucket: string,
  id: string,
  { bytes, content_type }: { bytes: Uint8Array; content_type: string },
): Promise<ObjectVersion> {
  const sha256 = sha256Hex(bytes);
  const key = inputKey(id, sha256, content_type);
  const put = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body: bytes,
    ContentType: content_type,
    IfNoneMatch: '*',
  });
  return { bucket, key, ...(await writeOnce(() => s3.send(put))) };
}
