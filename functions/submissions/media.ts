import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Issue } from '../shared/issues.ts';
import { invalidRequest } from '../shared/problem.ts';
import type { ObjectVersion, StoredAudio, StoredImage } from '../video/record.ts';
import { findModel } from '../wan/catalogue.ts';
import type { VideoRequest } from '../wan/validation/request.ts';
import { uploadNotFound } from '../wan/validation/urls.ts';
import type { InlineImage } from './check-body.ts';
import {
  copyUpload,
  type InspectedUpload,
  inputKey,
  inspectUploadedAudio,
  inspectUploadedImage,
  type UploadVersion,
  writeOnce,
} from './uploads.ts';

type S3 = Pick<S3Client, 'send'>;

/** An upload that was found good: the version that was looked at, and what it is. */
interface ValidUpload<Facts> {
  upload: UploadVersion;
  facts: Facts;
}

/** The media of a request that only we hold: an inline picture or an uploaded one, an uploaded sound. Nothing of it is stored yet. */
export interface InspectedMedia {
  inline: InlineImage | undefined;
  image: ValidUpload<Omit<StoredImage, keyof ObjectVersion>> | undefined;
  audio: ValidUpload<Omit<StoredAudio, keyof ObjectVersion>> | undefined;
}

/** Looks at the uploads that a request names. @throws Problem 400 for those that are not there, or not what the model takes */
export async function inspectMedia(
  s3: S3,
  { model, input }: VideoRequest,
  inline: InlineImage | undefined,
): Promise<InspectedMedia> {
  const { img_url, audio_url } = input;
  const [image, audio] = await Promise.all([
    isUpload(img_url) ? inspectUploadedImage(s3, img_url, findModel(model).image) : undefined,
    isUpload(audio_url) ? inspectUploadedAudio(s3, audio_url) : undefined,
  ]);
  if (image?.ok === false || audio?.ok === false) {
    throw invalidRequest([...issuesOf('/input/img_url', image), ...issuesOf('/input/audio_url', audio)]);
  }
  return { inline, image, audio };
}

/**
 * Makes the media of a request the video's own.
 * @param bucket where they are stored
 * @throws Problem 400 for an upload that is gone since it was looked at; something of the others may be stored by then
 */
export async function storeMedia(
  { s3, bucket }: { s3: S3; bucket: string },
  id: string,
  { inline, image, audio }: InspectedMedia,
): Promise<{ image?: StoredImage; audio?: StoredAudio }> {
  const [storedImage, storedAudio] = await Promise.all([
    inline ? storeInline({ s3, bucket }, id, inline) : image && storeUpload(s3, id, image, '/input/img_url'),
    audio && storeUpload(s3, id, audio, '/input/audio_url'),
  ]);
  return { ...(storedImage ? { image: storedImage } : {}), ...(storedAudio ? { audio: storedAudio } : {}) };
}

const isUpload = (url: string | undefined): url is string => url?.startsWith('s3://') ?? false;

async function storeInline(
  { s3, bucket }: { s3: S3; bucket: string },
  id: string,
  image: InlineImage,
): Promise<StoredImage> {
  const { bytes, content_type, width, height } = image;
  const stored = await storeImage(s3, bucket, id, { bytes, content_type });
  return { ...stored, content_type, bytes: bytes.byteLength, width, height };
}

async function storeUpload<Facts>(
  s3: S3,
  id: string,
  { upload, facts }: ValidUpload<Facts>,
  pointer: string,
): Promise<ObjectVersion & Facts> {
  const place = await copyUpload(s3, upload, id);
  if (!place) throw invalidRequest([{ pointer, ...uploadNotFound }]);
  return { ...place, ...facts };
}

const issuesOf = (pointer: string, checked: InspectedUpload<unknown> | undefined): Issue[] =>
  checked?.ok === false ? checked.issues.map((problem) => ({ pointer, ...problem })) : [];

/**
 * Stores an inline image below its video's id, apart from the drop folder, so that it starts nothing. Its name holds the hash of
 * its bytes and is written once: however often and at once a request is repeated, one object lies there, and nothing overwrites
 * or outdates what a record names.
 */
export async function storeImage(
  s3: S3,
  bucket: string,
  id: string,
  { bytes, content_type }: { bytes: Uint8Array; content_type: string },
): Promise<ObjectVersion> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
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
