import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { inspectAudio } from '../media/audio.ts';
import { inspectImage, type RotatedImages } from '../media/image.ts';
import type { ValueIssue, Warning } from '../shared/issues.ts';
import { invalidRequest } from '../shared/problem.ts';
import { sha256Hex } from '../video/keys.ts';
import type { ObjectVersion, RecordedMedia, StoredMedia } from '../video/record.ts';
import { type Model, rulesOf } from '../wan/catalogue.ts';
import { kindOfMedia, type LocatedMedia } from '../wan/media.ts';
import { parseS3Url } from '../wan/validation/public-url.ts';
import { checkLengths } from '../wan/validation/rules.ts';
import { type InlineFile, type MediaFacts, uploadNotFound } from '../wan/validation/urls.ts';
import type { CheckedBody } from './check-body.ts';
import {
  copyUpload,
  type DerivedFiles,
  type InspectedUpload,
  inputKey,
  inspectUpload,
  inspectVideoUpload,
  type UploadVersion,
  writeOnce,
} from './uploads.ts';

type S3 = Pick<S3Client, 'send'>;

/** A medium of a request, and its file if firstframe holds it: it came within the request, or was uploaded before. */
export type RequestMedium = LocatedMedia & { file?: InlineFile | { upload: UploadVersion; facts: MediaFacts } };

/** The media of a request, before their files are stored for the video. */
export interface RequestMedia {
  media: RequestMedium[];
  /** About the uploads. */
  warnings: Warning[];
}

export const isUpload = ({ url }: { url: string }): boolean => url.startsWith('s3://');

/**
 * Inspects the files that a request names: uploads, and the files of the video that it is derived from, by URL.
 * @throws ProblemError 400 for those that are missing or that the model does not accept
 */
export async function inspectMedia(
  s3: S3,
  { request, media, files: named }: Pick<CheckedBody, 'request' | 'media'> & { files?: DerivedFiles | undefined },
  rotatedImages: RotatedImages | undefined,
): Promise<RequestMedia> {
  const model = rulesOf(request);
  const inspected = await Promise.all(
    media.map(async ({ inline, ...item }) => ({
      item,
      inline,
      upload: isUpload(item)
        ? await inspectFile(s3, item.type, named?.get(item.url) ?? parseS3Url(item.url), model, rotatedImages)
        : undefined,
    })),
  );
  const located = (found: readonly ValueIssue[] | undefined, { pointer }: LocatedMedia) =>
    (found ?? []).map((issue) => ({ pointer, ...issue }));
  const issues = inspected.flatMap(({ item, upload }) => (upload?.ok === false ? located(upload.issues, item) : []));
  if (issues.length > 0) throw invalidRequest(issues);
  const files = inspected.map(({ item, inline, upload }): RequestMedium => {
    const file = inline ?? (upload?.ok ? { upload: upload.upload, facts: upload.facts } : undefined);
    return { ...item, ...(file ? { file } : {}) };
  });
  const measured = files.map(({ file, ...item }) => ({ ...item, ...file?.facts }));
  const lengths = checkLengths(model, request.parameters.duration, measured);
  if (lengths.length > 0) throw invalidRequest(lengths);
  const warnings = inspected.flatMap(({ item, upload }) => (upload?.ok ? located(upload.warnings, item) : []));
  return { media: files, warnings };
}

function inspectFile(
  s3: S3,
  type: LocatedMedia['type'],
  address: ObjectVersion | undefined,
  { image, audio_input, video_input }: Model,
  rotatedImages: RotatedImages | undefined,
): Promise<InspectedUpload> {
  switch (kindOfMedia(type)) {
    case 'image':
      return inspectUpload(s3, address, image.max_bytes, (bytes, size) =>
        inspectImage(bytes, size, image, rotatedImages),
      );
    case 'audio':
      return inspectUpload(s3, address, audio_input!.max_bytes, (bytes, size) =>
        inspectAudio(bytes, size, audio_input),
      );
    case 'video':
      return inspectVideoUpload(s3, address, async (source) => {
        // Loaded only for requests with an uploaded video.
        const { inspectInputVideo } = await import('../media/input-video.ts');
        return inspectInputVideo(source, video_input!);
      });
    case 'document':
      throw new Error('A request with a document passed the check of its types.');
  }
}

/**
 * Stores the files of a request for its video.
 * @param bucket where they are stored
 * @returns the media as the record has them: each stored file by its own `s3://` URL
 * @throws ProblemError 400 for an upload that was deleted since it was inspected; some of the files may be stored by then
 */
export const storeMedia = (
  services: { s3: S3; bucket: string },
  id: string,
  { media }: RequestMedia,
): Promise<RecordedMedia[]> =>
  Promise.all(
    media.map(async ({ type, url, pointer, file: given }) => {
      if (!given) return { type, url };
      const file = await storeFile(services, id, given, pointer);
      return { type, url: `s3://${file.bucket}/${file.key}`, file };
    }),
  );

async function storeFile(
  { s3, bucket }: { s3: S3; bucket: string },
  id: string,
  file: NonNullable<RequestMedium['file']>,
  pointer: string,
): Promise<StoredMedia> {
  const { facts } = file;
  const stored =
    'upload' in file
      ? await copyUpload(s3, file.upload, { id, bucket })
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
