/** S3's error names for an object or a version that does not exist. `NotFound` is that of HEAD requests, which have no body. */
const notFound: readonly string[] = ['NoSuchKey', 'NoSuchVersion', 'NotFound'];

/** For `.catch(…)`: returns undefined when an object does not exist. @throws every other error */
export function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Error && notFound.includes(error.name)) return undefined;
  throw error;
}

/** Returns CopyObject's `CopySource` for a version of an object; without `version_id`, for the latest version. */
export function copySource({ bucket, key, version_id }: { bucket: string; key: string; version_id?: string }): string {
  const path = `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return version_id ? `${path}?versionId=${encodeURIComponent(version_id)}` : path;
}
