/** How long a file may be sent to where `POST /uploads` says, in seconds. */
export const UPLOAD_SECONDS = 15 * 60;

/**
 * The beginning of an owner's keys in the uploads bucket.
 * @throws Error for an owner whose name would lead into another's folder: none that the authorizer lets in has such a one
 */
export function uploadFolder(owner: string): string {
  if (owner === '' || owner.includes('/')) throw new Error('This owner can have no folder of uploads.');
  return `uploads/${owner}/`;
}

/** The beginning of the `s3://` URLs of an owner's uploads: what `img_url` and `audio_url` may begin with. */
export const uploadPrefix = (bucket: string, owner: string): string => `s3://${bucket}/${uploadFolder(owner)}`;
