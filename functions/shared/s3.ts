/** S3's names for an object or a version that does not exist; the third answers a HEAD, which has no body to say more. */
const notFound: readonly string[] = ['NoSuchKey', 'NoSuchVersion', 'NotFound'];

/** For `.catch(…)`: undefined for an object that does not exist. @throws every other error */
export function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Error && notFound.includes(error.name)) return undefined;
  throw error;
}

/** A version of an object as CopyObject names its source; without its version, the newest. */
export function copySource({ bucket, key, version_id }: { bucket: string; key: string; version_id?: string }): string {
  const path = `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return version_id ? `${path}?versionId=${encodeURIComponent(version_id)}` : path;
}
