import { algorithmOfHeader, type ChecksumAlgorithm, isChecksumValue, parseAlgorithm } from '../checksum.ts';
import { notImplemented, S3Error } from '../errors.ts';
import type { Headers } from '../http/headers.ts';

/** The checksum a request vouches for. */
export interface ExpectedChecksum {
  algorithm: ChecksumAlgorithm;
  header: string;
  /** Absent when it follows the body as a trailer. */
  value?: string;
}

/** Not checksums, though named alike. */
const otherHeaders = new Set(['x-amz-checksum-mode', 'x-amz-checksum-algorithm', 'x-amz-checksum-type']);

/** Reads the checksum that comes in a header or is announced by `x-amz-trailer`; `undefined` when there is none. */
export function expectedChecksum(headers: Headers): ExpectedChecksum | undefined {
  const given = [...headers].filter(([name]) => name.startsWith('x-amz-checksum-') && !otherHeaders.has(name));
  const trailer = headers.get('x-amz-trailer')?.toLowerCase();
  if (given.length + (trailer === undefined ? 0 : 1) > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const announced = headers.get('x-amz-sdk-checksum-algorithm');
  const [header] = given;
  const name = header?.[0] ?? trailer;
  if (name === undefined) {
    if (announced === undefined) return undefined;
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const algorithm = algorithmOfHeader(name);
  if (!algorithm) throw notImplemented(`the checksum ${name}`);
  if (announced !== undefined && parseAlgorithm(announced) !== algorithm) {
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  if (!header) return { algorithm, header: name };
  if (!isChecksumValue(algorithm, header[1])) {
    throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`);
  }
  return { algorithm, header: name, value: header[1] };
}
