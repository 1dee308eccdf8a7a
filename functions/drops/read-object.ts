import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { maxImageBytes } from '../media/data-url.ts';
import type { DroppedObject } from './drop.ts';

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
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id, ...range }));
    return { bytes: (await object.Body?.transformToByteArray()) ?? new Uint8Array(), metadata: object.Metadata ?? {} };
  } catch (error) {
    if (error instanceof NoSuchKey || (error instanceof Error && error.name === 'NoSuchVersion')) return undefined;
    throw error;
  }
}
