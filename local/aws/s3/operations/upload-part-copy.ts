import { createHash } from 'node:crypto';
import { createChecksum } from '../checksum.ts';
import { S3Error } from '../errors.ts';
import { writeXml } from '../http/xml.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { readPartNumber, storePart } from '../multipart/store-part.ts';
import { type ByteRange, readRange } from '../objects/byte-range.ts';
import { copyFiles } from '../objects/copy-files.ts';
import { copySourceHeaders, copySourceVersion, readCopySource } from '../objects/copy-source.ts';
import { etagText, type Operation, xmlAnswer, xmlTime } from './operation.ts';

export const uploadPartCopy: Operation = {
  name: 'UploadPartCopy',
  method: 'PUT',
  target: 'object',
  selectors: ['partNumber', 'uploadId'],
  selectorHeader: 'x-amz-copy-source',
  headers: [...copySourceHeaders, 'x-amz-copy-source-range'],
  run: async (call, services) => {
    call.record('s3:PutObject');
    const found = findUpload(call, services);
    const number = readPartNumber(call.query.get('partNumber'));
    const source = readCopySource(call, services);
    const range = readSourceRange(call.headers.get('x-amz-copy-source-range'), source.object.size);
    const algorithm = found.upload.checksum_algorithm ?? 'CRC64NVME';
    const [md5, sum] = [createHash('md5'), createChecksum(algorithm)];
    const file = { path: source.bucket.blobs.path(source.object.blob), range };
    const { blob, size } = await copyFiles([file], found.bucket.blobs, [md5, sum]);
    const checksum = { algorithm, value: await sum.digest() };
    const part = await storePart(found, { number, size, etag: md5.digest('hex'), checksum, blob }, services);
    return xmlAnswer(
      writeXml('CopyPartResult', {
        LastModified: xmlTime(part.last_modified),
        ETag: etagText(part.etag),
        [`Checksum${algorithm}`]: checksum.value,
      }),
      { 'x-amz-copy-source-version-id': copySourceVersion(source) },
    );
  },
};

/** Stricter than a read's `Range`: both ends must be named and lie within the source. */
function readSourceRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const range = /^bytes=\d+-\d+$/.test(header) ? readRange(header, size) : undefined;
  if (range && Number(header.split('-')[1]) < size) return range;
  throw new S3Error('InvalidArgument', `The x-amz-copy-source-range must be bytes=first-last within ${size} bytes.`, {
    elements: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header },
  });
}
