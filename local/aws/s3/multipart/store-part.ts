import { S3Error } from '../errors.ts';
import type { Services } from '../services.ts';
import type { UploadedPart } from '../store/records.ts';
import { type FoundUpload, requireOpen } from './find-upload.ts';

const mostParts = 10_000;

export function readPartNumber(text: string | undefined): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= mostParts) return number;
  throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${mostParts}, inclusive`, {
    elements: { ArgumentName: 'partNumber', ArgumentValue: text },
  });
}

/** Keeps a written part, in the place of an earlier one with its number. The blob is removed when the upload has ended. */
export async function storePart(
  found: FoundUpload,
  part: Omit<UploadedPart, 'last_modified'>,
  services: Pick<Services, 'now'>,
): Promise<UploadedPart> {
  const stored = { ...part, last_modified: services.now() };
  try {
    requireOpen(found);
    found.bucket.commit({ part: { upload_id: found.upload.upload_id, part: stored } });
  } catch (error) {
    await found.bucket.blobs.remove(part.blob);
    throw error;
  }
  return stored;
}
