import { createHash } from 'node:crypto';
import { S3Error } from '../errors.ts';
import type { Headers } from '../http/messages.ts';
import type { Call } from '../operations/call.ts';
import type { Write } from '../store/blobs.ts';
import { readAwsChunks } from './aws-chunks.ts';
import { createChecksum, type ExpectedChecksum, expectedChecksum, type StoredChecksum } from './checksum.ts';

type CallWithBody = Pick<Call, 'headers' | 'body' | 'payload'>;

interface ReceivedBody {
  size: number;
  /** Its MD5. */
  etag: string;
  checksum: StoredChecksum;
}

/** S3's limit for one PUT. */
export const largestBody = 5 * 1024 ** 3;

/**
 * Reads a request's body to `write`, a buffer at a time, and proves it: length, the SHA-256 of the signature,
 * `Content-MD5`, checksum header or trailer. Nothing may be kept of a body unless this returns.
 * Without a checksum CRC64NVME is computed, as S3 does.
 */
export async function receiveBody(call: CallWithBody, write: Write, largest = largestBody): Promise<ReceivedBody> {
  const length = declaredLength(call);
  if (length > largest) throw tooLarge(length, largest);
  const trailer = new Map<string, string>();
  const { payload } = call;
  return receiveBytes(payload.kind === 'chunked' ? readAwsChunks(call.body, trailer) : call.body, write, {
    headers: call.headers,
    trailer,
    length,
    sha256: payload.kind === 'hashed' ? payload.sha256 : undefined,
  });
}

/** What bytes are proven by. */
interface Proofs {
  /** `Content-MD5` and a checksum header or announced trailer. */
  headers: Headers;
  /** Read after the last byte. */
  trailer?: ReadonlyMap<string, string>;
  /** @default any number of bytes */
  length?: number;
  /** Hexadecimal, from the signature. */
  sha256?: string;
}

/** Reads decoded bytes to `write` and proves them. */
export async function receiveBytes(source: AsyncIterable<Buffer>, write: Write, proofs: Proofs): Promise<ReceivedBody> {
  const { length, sha256: signedSha256 } = proofs;
  const expected = expectedChecksum(proofs.headers);
  const algorithm = expected?.algorithm ?? 'CRC64NVME';
  const sum = createChecksum(algorithm);
  const md5 = createHash('md5');
  const sha256 = signedSha256 === undefined ? undefined : createHash('sha256');
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (length !== undefined && size > length) throw incomplete();
    sum.update(piece);
    md5.update(piece);
    sha256?.update(piece);
    await write(piece);
  }
  if (length !== undefined && size < length) throw incomplete();
  if (sha256 && sha256.digest('hex') !== signedSha256) {
    throw new S3Error('XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 that was signed does not match the body.');
  }
  const digest = md5.digest();
  checkContentMd5(proofs.headers.get('content-md5'), digest);
  const value = await sum.digest();
  if (expected) checkChecksum(expected, proofs.trailer, value);
  return { size, etag: digest.toString('hex'), checksum: { algorithm, value, type: 'FULL_OBJECT' } };
}

/** Reads a small body, an XML document for example, whole. @throws `MaxMessageLengthExceeded` */
export async function receiveText(call: CallWithBody, largest = 4 * 1024 * 1024): Promise<string> {
  const pieces: Uint8Array[] = [];
  if (bodyLength(call) === undefined) return '';
  if (declaredLength(call) > largest) {
    throw new S3Error('MaxMessageLengthExceeded', `Your request was too big: at most ${largest} bytes.`);
  }
  await receiveBody(call, async (bytes) => void pieces.push(bytes), largest);
  return Buffer.concat(pieces).toString();
}

function bodyLength({ headers, payload }: CallWithBody): string | undefined {
  return headers.get(payload.kind === 'chunked' ? 'x-amz-decoded-content-length' : 'content-length');
}

function declaredLength(call: CallWithBody): number {
  const text = bodyLength(call);
  if (text !== undefined && /^\d+$/.test(text)) return Number(text);
  throw new S3Error(
    'MissingContentLength',
    'You must provide the Content-Length HTTP header, or x-amz-decoded-content-length for a chunked upload.',
  );
}

function checkContentMd5(header: string | undefined, computed: Buffer): void {
  if (header === undefined) return;
  const provided = Buffer.from(header, 'base64');
  if (provided.length !== computed.length) {
    throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  }
  if (provided.equals(computed)) return;
  throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
}

function checkChecksum(expected: ExpectedChecksum, trailer: Proofs['trailer'], computed: string): void {
  const value = expected.value ?? trailer?.get(expected.header);
  if (value === undefined) {
    throw new S3Error(
      'MalformedTrailerError',
      `The trailer ${expected.header} that x-amz-trailer announced is missing.`,
    );
  }
  if (value === computed) return;
  throw new S3Error('BadDigest', `The ${expected.algorithm} you specified did not match the calculated checksum.`);
}

function incomplete(): S3Error {
  return new S3Error('IncompleteBody', 'The request body does not have the length its headers say.');
}

export function tooLarge(proposed: number, largest: number): S3Error {
  return new S3Error(
    'EntityTooLarge',
    `Your proposed upload exceeds the maximum allowed size: ${proposed} of ${largest} bytes.`,
  );
}
