import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { ByteSource } from '../media/byte-source.ts';
import type { InspectedMedia } from '../media/image.ts';
import type { ValueIssue, Warning } from '../shared/issues.ts';
import { copySource, ignoreNotFound, ignoreNotFoundOf, readObjectRange } from '../shared/s3.ts';
import { sha256Hex } from '../video/keys.ts';
import type { ObjectVersion } from '../video/record.ts';
import { type MediaFacts, uploadNotFound } from '../wan/validation/urls.ts';

type S3 = Pick<S3Client, 'send'>;

/** The inspected version of an uploaded object. */
export interface UploadVersion {
  bucket: string;
  key: string;
  version_id: string;
  /** Also checked by the copy, where it is known. */
  etag?: string;
  /** Hex; of a video, which is not read whole, the hash of its version's name. */
  sha256: string;
  /** Detected from the bytes. */
  content_type: string;
}

/** Files of the video that a request is derived from, by their URL in the request. */
export type DerivedFiles = ReadonlyMap<string, ObjectVersion>;

/** A request that another video determines in part. */
export interface DerivedRequest {
  /** The id of that video. */
  derived_from: string;
  /** As of `POST /videos`. */
  body: unknown;
  /** Files of the other video that `body` names. They are copied, so that both videos can be deleted independently. */
  files: DerivedFiles;
  warnings: readonly Warning[];
}

/** An uploaded file that the model accepts, or what is wrong with it. */
export type InspectedUpload =
  | { ok: true; upload: UploadVersion; facts: MediaFacts; warnings: readonly ValueIssue[] }
  | { ok: false; issues: readonly ValueIssue[] };

/**
 * Inspects an uploaded file by its bytes.
 * @param address what `checkBody` accepted: below the caller's own folder, or a file of the video that the request is derived from
 * @param maxBytes of a larger file only the beginning is read
 */
export async function inspectUpload(
  s3: S3,
  address: ObjectVersion | undefined,
  maxBytes: number,
  inspect: (bytes: Uint8Array, size: number) => InspectedMedia<MediaFacts>,
): Promise<InspectedUpload> {
  const read = await readUpload(s3, address, maxBytes);
  if (!read) return { ok: false, issues: [uploadNotFound] };
  const inspected = inspect(read.bytes, read.size);
  return inspected.ok ? { ...inspected, upload: versionOf(read, inspected.facts.content_type) } : inspected;
}

/** Inspects a video by ranges of one version: it may have 100 MB. No frame is decoded. */
export async function inspectVideoUpload(
  s3: S3,
  address: ObjectVersion | undefined,
  inspect: (source: ByteSource) => Promise<InspectedMedia<MediaFacts>>,
): Promise<InspectedUpload> {
  const found =
    address &&
    (await s3
      .send(new HeadObjectCommand({ Bucket: address.bucket, Key: address.key, VersionId: address.version_id }))
      .catch(ignoreNotFoundOf(address.key)));
  if (!found) return { ok: false, issues: [uploadNotFound] };
  const { ContentLength: size, ETag: etag, VersionId: version_id } = found;
  if (size === undefined || !etag || !version_id) throw unversioned();
  const read = (start: number, end: number) => readObjectRange(s3, { ...address, version_id }, start, end);
  const inspected = await inspect({ size, read }).catch(ignoreNotFound);
  if (!inspected) return { ok: false, issues: [uploadNotFound] };
  if (!inspected.ok) return inspected;
  const { content_type } = inspected.facts;
  const sha256 = sha256Hex(`${address.bucket}/${address.key} ${version_id}`);
  return { ...inspected, upload: { ...address, version_id, etag, sha256, content_type } };
}

/**
 * Copies an upload to the video's own media: exactly the version that was inspected, even if its key was overwritten since.
 * Repeated and concurrent requests make one copy.
 * @param bucket where the copy is stored
 * @returns undefined if that version was deleted
 */
export async function copyUpload(
  s3: S3,
  { bucket, key, version_id, etag, sha256, content_type }: UploadVersion,
  { id, bucket: target }: { id: string; bucket: string },
): Promise<ObjectVersion | undefined> {
  const copy = inputKey(id, sha256, content_type);
  const command = new CopyObjectCommand({
    Bucket: target,
    Key: copy,
    CopySource: copySource({ bucket, key, version_id }),
    CopySourceIfMatch: etag,
    IfNoneMatch: '*',
    // Drops the metadata and tags that the uploader set.
    MetadataDirective: 'REPLACE',
    TaggingDirective: 'REPLACE',
    ContentType: content_type,
  });
  const written = await writeOnce(() => s3.send(command)).catch(ignoreNotFound);
  return written && { bucket: target, key: copy, ...written };
}

interface ReadUpload {
  object: Omit<UploadVersion, 'sha256' | 'content_type'>;
  /** The file, or the first chunk of one over the limit. */
  bytes: Uint8Array;
  /** Bytes of the whole file. */
  size: number;
}

/** Reads a version of a file, by default the current one; of one larger than `maxBytes`, only the first chunk. */
async function readUpload(
  s3: S3,
  address: ObjectVersion | undefined,
  maxBytes: number,
): Promise<ReadUpload | undefined> {
  if (!address) return undefined;
  const get = new GetObjectCommand({ Bucket: address.bucket, Key: address.key, VersionId: address.version_id });
  const found = await s3.send(get).catch(ignoreNotFoundOf(address.key));
  if (!found) return undefined;
  const { Body, ContentLength: size, ETag: etag, VersionId: version_id } = found;
  if (!(Body instanceof Readable) || size === undefined || !etag || !version_id) {
    throw unversioned();
  }
  const bytes = size > maxBytes ? await beginningOf(Body) : await Body.transformToByteArray();
  return { object: { ...address, version_id, etag }, bytes, size };
}

const unversioned = () =>
  new Error('S3 returned an upload without length, ETag or version. Turn on versioning of the uploads bucket.');

/** Returns the first chunk of a stream and closes it. */
async function beginningOf(body: Readable): Promise<Uint8Array> {
  for await (const chunk of body) return chunk;
  return new Uint8Array();
}

const versionOf = ({ object, bytes }: ReadUpload, content_type: string): UploadVersion => ({
  ...object,
  sha256: sha256Hex(bytes),
  content_type,
});

/** Lifetime of an upload form of `POST /uploads`, in seconds. */
export const UPLOAD_SECONDS = 15 * 60;

/**
 * Returns the prefix of an owner's keys in the uploads bucket.
 * @throws Error for an owner with a slash, which could reach another owner's folder; the authorizer accepts no such owner
 */
export function uploadFolder(owner: string): string {
  if (owner === '' || owner.includes('/'))
    throw new Error('The owner is empty or contains a slash, so it cannot have a folder of uploads.');
  return `uploads/${owner}/`;
}

/** Returns the `s3://` prefix of an owner's uploads that the URLs of media may have. */
export const uploadPrefix = (bucket: string, owner: string): string => `s3://${bucket}/${uploadFolder(owner)}`;

/** Returns the key of a video's own copy of a medium: named by its bytes, so that the same file is stored once. */
export const inputKey = (id: string, sha256: string, contentType: string): string =>
  `inputs/${id}/${sha256}.${extensionOf(contentType)}`;

/** Returns the file extension of a medium's content type. */
export const extensionOf = (contentType: string): string =>
  extensions.get(contentType) ?? contentType.slice(contentType.indexOf('/') + 1);

const extensions: ReadonlyMap<string, string> = new Map([
  ['audio/mpeg', 'mp3'],
  ['video/quicktime', 'mov'],
]);

/**
 * Runs a conditional write (`IfNoneMatch: '*'`) to a key that is named by its bytes. An existing object is not an error.
 * @returns the written version; empty if the object existed already
 */
export async function writeOnce(
  write: () => Promise<{ VersionId?: string | undefined }>,
): Promise<{ version_id?: string }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { VersionId } = await write();
      return VersionId ? { version_id: VersionId } : {};
    } catch (error) {
      if (!(error instanceof S3ServiceException)) throw error;
      if (error.name === 'PreconditionFailed') return {};
      if (error.name !== 'ConditionalRequestConflict' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** S3 answers a conditional write that races with another one by 409; a retry finds the other one's object. */
const ATTEMPTS = 5;
