import {
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';

/** S3's error names for an object or a version that does not exist. `NotFound` is that of HEAD requests, which have no body. */
const notFound: readonly string[] = ['NoSuchKey', 'NoSuchVersion', 'NotFound'];

/** For `.catch(…)`: returns undefined when an object does not exist. @throws every other error */
export function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Error && notFound.includes(error.name)) return undefined;
  throw error;
}

/** An object that exists and that S3 refuses to return: its key or a policy denies it, or it is in an archive. */
export class UnreadableObject extends Error {
  override readonly name = 'UnreadableObject';
  readonly key: string;
  /** S3's name of the error. */
  readonly reason: string;
  constructor(key: string, reason: string) {
    super(`S3 refused to return an object: ${reason}.`);
    this.key = key;
    this.reason = reason;
  }
}

/** S3's names of such refusals. `InvalidRequest` is for an object with a key that only its sender has (SSE-C); a HEAD has no body. */
const refusals: readonly string[] = ['AccessDenied', 'InvalidObjectState', 'InvalidRequest', '403', '400'];

/** For `.catch(…)` of a read: undefined for an object that does not exist. @throws UnreadableObject, and every other error unchanged */
export const ignoreNotFoundOf =
  (key: string) =>
  (error: unknown): undefined => {
    const { name } = error instanceof Error ? error : { name: '' };
    if (refusals.includes(name) || (name.startsWith('KMS.') && !name.includes('Throttling'))) {
      throw new UnreadableObject(key, name);
    }
    return ignoreNotFound(error);
  };

export interface ListedObject {
  key: string;
  /** When it was stored: milliseconds since 1970, in whole seconds. */
  written: number;
}

/** Lists one page of objects. S3 is asked to encode their keys, because XML cannot hold every character that a key can. */
export async function listPage(
  s3: Pick<S3Client, 'send'>,
  request: Omit<ListObjectsV2CommandInput, 'EncodingType'>,
): Promise<{ objects: ListedObject[]; isTruncated: boolean }> {
  const list = new ListObjectsV2Command({ ...request, EncodingType: 'url' });
  const { Contents = [], IsTruncated = false } = await s3.send(list);
  const objects = Contents.map(({ Key = '', LastModified }) => ({
    key: decodeURIComponent(Key.replaceAll('+', ' ')),
    written: LastModified?.getTime() ?? 0,
  }));
  return { objects, isTruncated: IsTruncated };
}

/** Returns CopyObject's `CopySource` for a version of an object; without `version_id`, for the latest version. */
export function copySource({ bucket, key, version_id }: { bucket: string; key: string; version_id?: string }): string {
  const path = `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return version_id ? `${path}?versionId=${encodeURIComponent(version_id)}` : path;
}

/** Reads the bytes of an object from `start` up to, not including, `end`; without `version_id`, of the latest version. */
export async function readObjectRange(
  s3: Pick<S3Client, 'send'>,
  { bucket, key, version_id }: { bucket: string; key: string; version_id?: string | undefined },
  start: number,
  end: number,
): Promise<Uint8Array> {
  const Range = `bytes=${start}-${end - 1}`;
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: version_id, Range }));
  if (!Body) throw new Error('S3 returned a range without a body.');
  return Body.transformToByteArray();
}
