import { createHash } from 'node:crypto';
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { notImplemented, S3Error } from '../errors.ts';
import type { Headers } from '../http/messages.ts';

export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];
/** `COMPOSITE` is a checksum over the parts' checksums, written with `-<number of parts>`. */
type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

export interface StoredChecksum {
  algorithm: ChecksumAlgorithm;
  /** Base64, big-endian. */
  value: string;
  type: ChecksumType;
}

/** A checksum that grows with the bytes it is shown. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** Ends it. Base64, big-endian. */
  digest(): Promise<string>;
}

/** Bytes of a checksum's binary form. */
const lengths: Record<ChecksumAlgorithm, number> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

const runningSums = {
  CRC32: () => new Crc32(),
  CRC32C: () => new Crc32c(),
  CRC64NVME: () => new Crc64Nvme(),
  SHA1: () => createHash('sha1'),
  SHA256: () => createHash('sha256'),
} as const;

export function createChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  const sum = runningSums[algorithm]();
  return {
    update: (bytes) => void sum.update(bytes),
    digest: async () => Buffer.from(await sum.digest()).toString('base64'),
  };
}

/** The header or trailer that carries a checksum of this algorithm. */
export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The algorithm of a checksum header, `undefined` for any other header. */
function algorithmOfHeader(header: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => checksumHeader(algorithm) === header);
}

/** Algorithm by its wire name, in any case; `undefined` for one that this server does not know. */
function parseAlgorithm(name: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm === name.toUpperCase());
}

/** Whether `value` could be a checksum of that algorithm: base64 of the right length. */
function isChecksumValue(algorithm: ChecksumAlgorithm, value: string): boolean {
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === lengths[algorithm] && bytes.toString('base64') === value;
}

/** How S3 sums a multipart upload that asks for no type. Without an algorithm it sums the whole by CRC64NVME. */
export function checksumTypeOf(algorithm: ChecksumAlgorithm = 'CRC64NVME'): ChecksumType {
  return algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
}

/** Reads `x-amz-checksum-algorithm`: what a multipart upload is to be summed with. */
export function requestedAlgorithm(headers: Headers): ChecksumAlgorithm | undefined {
  const name = headers.get('x-amz-checksum-algorithm');
  if (name === undefined) return undefined;
  const algorithm = parseAlgorithm(name);
  if (!algorithm) throw notImplemented(`x-amz-checksum-algorithm: ${name}`);
  return algorithm;
}

/** The checksum a request vouches for. */
export interface ExpectedChecksum {
  algorithm: ChecksumAlgorithm;
  header: string;
  /** Absent when it follows the body as a trailer. */
  value?: string;
}

/** Reads the checksum that comes in a header or is announced by `x-amz-trailer`; `undefined` when there is none. */
export function expectedChecksum(headers: Headers): ExpectedChecksum | undefined {
  const given = [...headers].filter(([name]) => name.startsWith('x-amz-checksum-'));
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
