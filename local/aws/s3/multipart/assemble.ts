import { createHash } from 'node:crypto';
import { checksumTypeOf, createChecksum, type RunningChecksum, type StoredChecksum } from '../checksum.ts';
import { copyFiles } from '../objects/copy-files.ts';
import type { ObjectDraft } from '../objects/store-object.ts';
import type { UploadedPart } from '../store/records.ts';
import { type FoundUpload, requireOpen } from './find-upload.ts';

export type AssembledBytes = Pick<ObjectDraft, 'blob' | 'size' | 'etag' | 'checksum'>;

/** Writes the parts into one blob and sums them as the upload was created to be. */
export async function assemble(found: FoundUpload, parts: readonly UploadedPart[]): Promise<AssembledBytes> {
  const { bucket, upload } = found;
  const algorithm = upload.checksum_algorithm ?? 'CRC64NVME';
  const whole = checksumTypeOf(algorithm) === 'FULL_OBJECT' ? createChecksum(algorithm) : undefined;
  const sources = parts.map((part) => ({ path: bucket.blobs.path(part.blob) }));
  const { blob, size } = await copyFiles(sources, bucket.blobs, whole ? [whole] : []).catch((error) => {
    // An abort meanwhile takes the parts away.
    requireOpen(found);
    throw error;
  });
  const checksum: StoredChecksum = whole
    ? { algorithm, value: await whole.digest(), type: 'FULL_OBJECT' }
    : { algorithm, value: await compositeOf(parts, createChecksum(algorithm)), type: 'COMPOSITE' };
  return { blob, size, etag: etagOf(parts), checksum };
}

/** The checksum over the parts' binary checksums, and how many there were. */
async function compositeOf(parts: readonly UploadedPart[], sum: RunningChecksum): Promise<string> {
  for (const part of parts) sum.update(Buffer.from(part.checksum.value, 'base64'));
  return `${await sum.digest()}-${parts.length}`;
}

function etagOf(parts: readonly UploadedPart[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
  return `${md5.digest('hex')}-${parts.length}`;
}
