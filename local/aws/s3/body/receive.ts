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
  /** The MD5. */
  etag: string;
  checksum: StoredChecksum;
}

/** S3's limit for one PUT. */
export const maxBodySize = 5 * 1024 ** 3;

/**
 * Streams a request's body to `write` and verifies it: length, signed SHA-256, `Content-MD5`, checksum header or
 * trailer. The written bytes are valid only if this returns.
 * Without a checksum it computes CRC64NVME, as S3 does.
 */
export async function receiveBody(call: CallWithBody, write: Write, maxSize = maxBodySize): Promise<ReceivedBody> {
  const length = declaredLength(call);
  if (length > maxSize) throw tooLarge(length, maxSize);
  const trailer = new Map<string, string>();
  const { payload } = call;
  return receiveBytes(payload.kind === 'chunked' ? readAwsChunks(call.body, trailer) : call.body, write, {
    headers: call.headers,
    trailer,
    length,
    sha256: payload.kind === 'hashed' ? payload.sha256 : undefined,
  });
}

/** What the received bytes are verified against. */
interface BodyChecks {
  /** `Content-MD5` and a checksum header or announced trailer. */
  headers: Headers;
  /** Complete after the last byte. */
  trailer?: ReadonlyMap<string, string>;
  /** @default any number of bytes */
  length?: number;
  /** Hexadecimal, from the signature. */
  sha256?: string;
}

/** Streams decoded bytes to `write` and verifies them. */
export async function receiveBytes(
  source: AsyncIterable<Buffer>,
  write: Write,
  checks: BodyChecks,
): Promise<ReceivedBody> {
  const { length, sha256: signedSha256 } = checks;
  const expected = expectedChecksum(checks.headers);
  const algorithm = expected?.algorithm ?? 'CRC64NVME';
  const checksum = createChecksum(algorithm);
  const md5 = createHash('md5');
  const sha256 = signedSha256 === undefined ? undefined : createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (length !== undefined && size > length) throw incomplete();
    checksum.update(chunk);
    md5.update(chunk);
    sha256?.update(chunk);
    await write(chunk);
  }
  if (length !== undefined && size < length) throw incomplete();
  if (sha256 && sha256.digest('hex') !== signedSha256) {
    throw new S3Error('XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 that was signed does not match the body.');
  }
  const digest = md5.digest();
  checkContentMd5(checks.headers.get('content-md5'), digest);
  const value = await checksum.digest();
  if (expected) checkChecksum(expected, checks.trailer, value);
  return { size, etag: digest.toString('hex'), checksum: { algorithm, value, type: 'FULL_OBJECT' } };
}

/** Reads a small body, such as an XML document, into memory. @throws `MaxMessageLengthExceeded` */
export async function receiveText(call: CallWithBody, maxSize = 4 * 1024 * 1024): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (bodyLength(call) === undefined) return '';
  if (declaredLength(call) > maxSize) {
    throw new S3Error('MaxMessageLengthExceeded', `Your request was too big: at most ${maxSize} bytes.`);
  }
  await receiveBody(call, async (bytes) => void chunks.push(bytes), maxSize);
  return Buffer.concat(chunks).toString();
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

function checkChecksum(expected: ExpectedChecksum, trailer: BodyChecks['trailer'], computed: string): void {
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
  return new S3Error('IncompleteBody', 'The request body does not have the length in its headers.');
}

export function tooLarge(proposed: number, maxSize: number): S3Error {
  return new S3Error(
    'EntityTooLarge',
    `Your proposed upload exceeds the maximum allowed size: ${proposed} of ${maxSize} bytes.`,
  );
}
