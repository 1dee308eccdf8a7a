import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ignoreNotFoundOf } from '../shared/s3.ts';
import { models } from '../wan/catalogue.ts';
import { imageOfLastFrame, imageOfSidecar, unicodeForms } from './drop-key.ts';

/** A version of an object in the drop folder. */
export interface DroppedObject {
  bucket: string;
  /** Not percent-encoded. */
  key: string;
  version_id?: string;
  /** Bytes. */
  size: number;
  /** When S3 stored it: seconds since 1970; known of one that was looked up. */
  last_modified?: number;
}

/** The fields of EventBridge's S3 event "Object Created" that are read. */
export interface ObjectCreated {
  detail: { bucket: { name: string }; object: { key: string; size: number; 'version-id'?: string } };
}

/** Returns the object of an event. EventBridge does not encode the key. A bucket without versioning gives no version. */
export function droppedObject({ detail: { bucket, object } }: ObjectCreated): DroppedObject {
  const { key, size, 'version-id': version_id } = object;
  return { bucket: bucket.name, key, size, ...(version_id ? { version_id } : {}) };
}

/** Returns an event of an object. */
export function objectCreated({ bucket, key, size, version_id }: DroppedObject): ObjectCreated {
  const object = { key, size, ...(version_id ? { 'version-id': version_id } : {}) };
  return { detail: { bucket: { name: bucket }, object } };
}

/** The largest image that any model accepts. */
const maxImageBytes = Math.max(...models.map(({ image }) => image.max_bytes));

/** Enough to recognize a format: of an object that is too large, no more is read. */
const HEAD_BYTES = 64 * 1024;

export interface ReadObject {
  bytes: Uint8Array;
  /** User metadata. */
  metadata: Record<string, string>;
  content_type?: string | undefined;
}

/**
 * Reads the bytes and user metadata of an object; of one larger than an image may be, only the first part.
 * @returns undefined when that version is gone
 */
export async function readObject(
  s3: Pick<S3Client, 'send'>,
  { bucket, key, version_id, size }: DroppedObject,
): Promise<ReadObject | undefined> {
  const range = size > maxImageBytes ? { Range: `bytes=0-${HEAD_BYTES - 1}` } : {};
  const get = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id, ...range });
  const object = await s3.send(get).catch(ignoreNotFoundOf(key));
  if (!object) return undefined;
  return { bytes: await bytesOf(object), metadata: object.Metadata ?? {}, content_type: object.ContentType };
}

/** Finds the latest version of an object; undefined when it does not exist or was deleted. */
export async function findLatest(
  s3: Pick<S3Client, 'send'>,
  bucket: string,
  key: string,
): Promise<DroppedObject | undefined> {
  const found = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).catch(ignoreNotFoundOf(key));
  if (!found) return undefined;
  const { VersionId, ContentLength, LastModified } = found;
  return {
    bucket,
    key,
    size: ContentLength ?? 0,
    ...(VersionId ? { version_id: VersionId } : {}),
    ...(LastModified ? { last_modified: Math.floor(LastModified.getTime() / 1000) } : {}),
  };
}

/** Finds the image of a sidecar or a last frame, in any Unicode form of its name. */
export async function findImageOf(
  { bucket, key }: { bucket: string; key: string },
  find: (object: { bucket: string; key: string }) => Promise<DroppedObject | undefined>,
): Promise<DroppedObject | undefined> {
  for (const form of unicodeForms(imageOfSidecar(key) ?? imageOfLastFrame(key) ?? '')) {
    const image = await find({ bucket, key: form });
    if (image) return image;
  }
  return undefined;
}

/** Reads the latest version of a small file, at most `most` + 1 bytes; undefined when it does not exist. */
export async function readSmallFile(
  s3: Pick<S3Client, 'send'>,
  { bucket, key, most }: { bucket: string; key: string; most: number },
): Promise<Uint8Array | undefined> {
  try {
    return await bytesOf(await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${most}` })));
  } catch (error) {
    // An empty file has no byte 0 for the range to begin at.
    if (error instanceof Error && error.name === 'InvalidRange') return new Uint8Array();
    return ignoreNotFoundOf(key)(error);
  }
}

const bytesOf = async ({ Body }: GetObjectCommandOutput): Promise<Uint8Array> =>
  (await Body?.transformToByteArray()) ?? new Uint8Array();

/**
 * Sends a message that the drop function receives after a delay. Its body is the image's event, so a dead letter can be handled like
 * any other event of a drop.
 */
export async function startWait(
  { client, queueUrl, seconds }: { client: Pick<SQSClient, 'send'>; queueUrl: string; seconds: number },
  object: DroppedObject,
): Promise<void> {
  // SQS refuses these two characters, which a key may contain.
  const MessageBody = JSON.stringify(objectCreated(object))
    .replaceAll('\ufffe', '\\ufffe')
    .replaceAll('\uffff', '\\uffff');
  await client.send(new SendMessageCommand({ QueueUrl: queueUrl, DelaySeconds: seconds, MessageBody }));
}
