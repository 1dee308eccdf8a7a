import { createHash } from 'node:crypto';
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { notImplemented, S3Error } from '../errors.ts';
import type { Headers } from '../http/messages.ts';

export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];
/** `COMPOSITE` is a checksum of the parts' checksums, followed by `-<number of parts>`. */
type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

export interface StoredChecksum {
  algorithm: ChecksumAlgorithm;
  /** Base64, big-endian. */
  value: string;
  type: ChecksumType;
}

/** A checksum that is computed incrementally. */
export interface IncrementalChecksum {
  update(bytes: Uint8Array): void;
  /** Returns the checksum in base64, big-endian. Call it once. */
  digest(): Promise<string>;
}

/** The size of each checksum in bytes. */
const byteLengths: Record<ChecksumAlgorithm, number> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

const checksumFactories = {
  CRC32: () => new Crc32(),
  CRC32C: () => new Crc32c(),
  CRC64NVME: () => new Crc64Nvme(),
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
} as const;

export function createChecksum(algorithm: ChecksumAlgorithm): IncrementalChecksum {
  const sum = checksumFactories[algorithm]();
  return {
    update: (bytes) => void sum.update(bytes),
    digest: async () => Buffer.from(await sum.digest()).toString('base64'),
  };
}

/** The header or trailer of a checksum. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** Returns the algorithm of a checksum header, undefined for any other header. */
function algorithmOfHeader(header: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => checksumHeader(algorithm) === header);
}

/** Finds an algorithm by its case-insensitive name. Returns undefined for an unsupported one. */
function parseAlgorithm(name: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm === name.toUpperCase());
}

/** Whether `value` is base64 of the algorithm's size. */
function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === byteLengths[algorithm] && bytes.toString('base64') === value;
}

/** The checksum type of a multipart upload that does not request one. Without an algorithm S3 uses CRC64NVME. */
export function checksumTypeOf(algorithm: ChecksumAlgorithm = 'CRC64NVME'): ChecksumType {
  return algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
}

/** Reads `x-amz-checksum-algorithm`, the checksum algorithm of a multipart upload. */
export function requestedAlgorithm(headers: Headers): ChecksumAlgorithm | undefined {
  const name = headers.get('x-amz-checksum-algorithm');
  if (name === undefined) return undefined;
  const algorithm = parseAlgorithm(name);
  if (!algorithm) throw notImplemented(`x-amz-checksum-algorithm: ${name}`);
  return algorithm;
}

/** The checksum that a request declares for its body. */
export interface ExpectedChecksum {
  algorithm: ChecksumAlgorithm;
  header: string;
  /** Undefined if it follows the body as a trailer. */
  value?: string;
}

/** Reads the checksum in a header or announced by `x-amz-trailer`. Returns undefined without one. */
export function expectedChecksum(headers: Headers): ExpectedChecksum | undefined {
  const checksumHeaders = [...headers].filter(([name]) => name.startsWith('x-amz-checksum-'));
  const trailer = headers.get('x-amz-trailer')?.toLowerCase();
  if (checksumHeaders.length + (trailer === undefined ? 0 : 1) > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  const announcedAlgorithm = headers.get('x-amz-sdk-checksum-algorithm');
  const [header] = checksumHeaders;
  const name = header?.[0] ?? trailer;
  if (name === undefined) {
    if (announcedAlgorithm === undefined) return undefined;
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  const algorithm = algorithmOfHeader(name);
  if (!algorithm) throw notImplemented(`the checksum ${name}`);
  if (announcedAlgorithm !== undefined && parseAlgorithm(announcedAlgorithm) !== algorithm) {
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  if (!header) return { algorithm, header: name };
  if (!isChecksumValue(algorithm, header[1])) {
    throw new S3Error('InvalidRequest', `Value for ${name} header is invalid.`);
  }
  return { algorithm, header: name, value: header[1] };
}
