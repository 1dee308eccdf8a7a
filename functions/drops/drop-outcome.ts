import type { UnreadableObject } from '../shared/s3.ts';
import type { Tombstone } from '../video/deletion.ts';
import type { VideoRecord } from '../video/record.ts';
import { MANIFEST_NAME } from './drop-key.ts';
import { lineFailure } from './manifest-result.ts';

/**
 * What became of an uploaded image.
 * - `existing`: its video existed before, and the upload changed nothing
 * - `restarted`: its video existed, had failed and had not been billed
 * - `deleted`: its video was deleted
 * - `waiting`: for a sidecar, or for the rest of the image's bytes
 * - `superseded`: it was the first part of an image that a later upload completed
 * - `claimed`: another process is creating its video
 * - `gone`: the image was deleted before it was accepted
 * - `unreadable`: S3 refuses to return the image or one of its settings files
 */
export type DropOutcome =
  | { outcome: 'created' | 'restarted' | 'existing'; id: string; video: VideoRecord }
  | { outcome: 'deleted'; id: string }
  | { outcome: 'waiting' | 'superseded' | 'claimed' | 'gone' | 'unreadable' };

/** The result of an upload whose video was deleted. */
export const deletedResult = ({ id, deleted_at }: Tombstone) => ({
  id,
  status: 'deleted',
  deleted_at,
  message: 'The video of this image with these settings was deleted, so no video was created.',
  hint: 'For a new video set "take": 2 in the settings, or change the seed.',
});

/** The result of an upload that cannot be read, or whose settings cannot. */
export const unreadableResult = ({ key, reason }: Pick<UnreadableObject, 'key' | 'reason'>) =>
  lineFailure({
    code: 'object_unreadable',
    message: `S3 does not let firstframe read ${key} (${reason}).`,
    hint: 'Restore the object from its archive, or store it without an encryption key of its own; then upload it again.',
  });

/** The result of a file whose name is nearly that of a manifest. */
export const misnamedResult = () =>
  lineFailure({
    code: 'manifest_misnamed',
    message: `Only the name "${MANIFEST_NAME}" is read, in small letters.`,
    hint: `Upload the file again as ${MANIFEST_NAME}.`,
  });
