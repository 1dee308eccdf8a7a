import type { Call } from '../call.ts';
import { S3Error } from '../errors.ts';
import { checkKey, uriDecode } from '../http/target.ts';
import type { Services } from '../services.ts';
import type { Bucket } from '../store/bucket.ts';
import type { StoredObject } from '../store/records.ts';
import { namesEntityTag } from './entity-tags.ts';
import { versionHeader } from './object-headers.ts';
import { preconditionFailed } from './read-conditions.ts';
import { readableObject } from './readable-object.ts';

export interface CopySource {
  bucket: Bucket;
  object: StoredObject;
  /** Whether the source names a version. */
  versioned: boolean;
}

const prefix = 'x-amz-copy-source';

/** The headers that `readCopySource` understands. */
export const copySourceHeaders = [prefix, `${prefix}-if-match`];

/** Finds what `x-amz-copy-source: /<bucket>/<key>[?versionId=…]` names and checks its condition. */
export function readCopySource(call: Call, services: Pick<Services, 'buckets'>): CopySource {
  const [, path = '', versionId] = /^\/?(.*?)(?:\?versionId=([^&]*))?$/.exec(call.headers.get(prefix) ?? '') ?? [];
  const decoded = uriDecode(path);
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) {
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey', {
      elements: { ArgumentName: prefix, ArgumentValue: call.headers.get(prefix) },
    });
  }
  const source = { bucket: decoded.slice(0, slash), key: checkKey(decoded.slice(slash + 1)) };
  const bucket = services.buckets.get(source.bucket);
  const object = readableObject(call, bucket, source.key, versionId);
  const match = call.headers.get(`${prefix}-if-match`);
  if (match !== undefined && !namesEntityTag(match, object.etag)) throw preconditionFailed(`${prefix}-If-Match`);
  return { bucket, object, versioned: versionId !== undefined };
}

export function copySourceVersion({ bucket, object }: CopySource): string | undefined {
  return versionHeader(bucket, object)['x-amz-version-id'];
}
