import { uploadFolder } from '../../submissions/uploads.ts';

/*
 * A file that came by this protocol's upload is called `oss://firstframe/<upload id>/<name>` by its client, as Wan's own are
 * called `oss://<key>`; it lies among its owner's uploads.
 */
const folder = 'firstframe';

/** Where a client must put the files of an upload: its `upload_dir`. */
export const uploadDirectory = (uploadId: string): string => `${folder}/${uploadId}`;

/**
 * The name in a form's `key`, if it lies right in the directory of its upload and can be a file's name: of at most 255 bytes,
 * without slashes and control characters.
 */
export function fileNameOf(key: string, uploadId: string): string | undefined {
  const start = `${uploadDirectory(uploadId)}/`;
  const name = key.startsWith(start) ? key.slice(start.length) : '';
  return isFileName(name) ? name : undefined;
}

const isFileName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  Buffer.byteLength(name) <= 255 &&
  !/[/\\\p{Cc}\p{Cf}\p{Surrogate}]/u.test(name);

/** The key of an uploaded file. */
export const uploadKey = (owner: string, uploadId: string, name: string): string =>
  `${uploadFolder(owner)}${uploadId}/${name}`;

/**
 * The `s3://` URL that an `oss://` URL of ours means to this owner: another owner's upload is one that isn't there.
 * @returns undefined for an `oss://` URL that none of our uploads has
 */
export function ossUrlToS3(url: string, { bucket, owner }: { bucket: string; owner: string }): string | undefined {
  const [, uploadId, name] =
    /^oss:\/\/firstframe\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/([^/]+)$/.exec(url) ?? [];
  return uploadId && name && isFileName(name) ? `s3://${bucket}/${uploadKey(owner, uploadId, name)}` : undefined;
}
