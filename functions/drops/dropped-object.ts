import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { maxImageBytes } from '../media/image.ts';
import { ignoreNotFound } from '../shared/s3.ts';

/** A dropped object as EventBridge tells of it (S3 "Object Created"). */
export interface DroppedObject {
  bucket: string;
  /** As it is, not percent-encoded. */
  key: string;
  version_id?: string;
  /** Bytes. */
  size: number;
}

/** What is read of an S3 "Object Created" event. */
export interface ObjectCreated {
  detail: { bucket: { name: string }; object: { key: string; size: number; 'version-id'?: string } };
}

/** The object of an event. EventBridge gives its key as it is; a bucket without versions gives no version. */
export function droppedObject({ detail: { bucket, object } }: ObjectCreated): DroppedObject {
  const { key, size, 'version-id': version_id } = object;
  return { bucket: bucket.name, key, size, ...(version_id ? { version_id } : {}) };
}

/** The event of an object. */
export function objectCreated({ bucket, key, size, version_id }: DroppedObject): ObjectCreated {
  const object = { key, size, ...(version_id ? { 'version-id': version_id } : {}) };
  return { detail: { bucket: { name: bucket }, object } };
}

/** Enough to tell what a file is: nothing more is read of one that is too large anyway. */
const HEAD_BYTES = 64 * 1024;

/**
 * A dropped object's bytes, or its head if it is larger than an image may be, and its user metadata.
 * @returns undefined when that version is gone
 */
export async function readObject(
  s3: Pick<S3Client, 'send'>,
  { bucket, key, version_id, size }: DroppedObject,
): Promise<{ bytes: Uint8Array; metadata: Record<string, string> } | undefined> {
  const range = size > maxImageBytes ? { Range: `bytes=0-${HEAD_BYTES - 1}` } : {};
  const get = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id, ...range });
  const object = await s3.send(get).catch(ignoreNotFound);
  return object && { bytes: await bytesOf(object), metadata: object.Metadata ?? {} };
}

/** The latest version of an object; undefined when there is none, or the last thing done to it was to delete it. */
export async function findLatest(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  key: string,
): Promise<DroppedObject | undefined> {
  const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).catch(ignoreNotFound);
  if (!found) return undefined;
  const { VersionId, ContentLength } = found;
  return { bucket, key, size: ContentLength ?? 0, ...(VersionId ? { version_id: VersionId } : {}) };
}

/** The bytes of a small file in its latest version, at most one more than `most`; undefined when there is none. */
export async function readSmallFile(
  s3: Pick<S3Client, 'send'>,
  { bucket, key, most }: { bucket: string; key: string; most: number },
): Promise<Uint8Array | undefined> {
  try {
    return await bytesOf(await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${most}` })));
  } catch (error) {
    // An empty file has no first byte that a range could begin with.
    if (error instanceof Error && error.name === 'InvalidRange') return new Uint8Array();
    return ignoreNotFound(error);
  }
}

const bytesOf = async ({ Body }: GetObjectCommandOutput): Promise<Uint8Array> =>
  (await Body?.transformToByteArray()) ?? new Uint8Array();
