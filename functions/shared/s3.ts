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

/** Returns CopyObject's `CopySource` for a version of an object; without `version_id`, for the latest version. */
export function copySource({ bucket, key, version_id }: { bucket: string; key: string; version_id?: string }): string {
  const path = `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return version_id ? `${path}?versionId=${encodeURIComponent(version_id)}` : path;
}
