import { notImplemented, S3Error } from '../errors.ts';
import { sha256Hex } from './canonical.ts';
import { type Credential, scopeOf, sign } from './credential.ts';

/** What the signature says about the body, and so how the body is to be read and checked. */
export type Payload =
  | { kind: 'unsigned' }
  | { kind: 'hashed'; sha256: string }
  | { kind: 'chunked'; trailer: boolean; chain?: ChunkSignatures };

/** The chain of signatures of a chunked upload: each is made over the one before. */
export interface ChunkSignatures {
  /** @returns whether `signature` is the one this chunk, the next in line, must carry */
  acceptChunk(chunkSha256: string, signature: string): boolean;
  acceptTrailer(trailer: string, signature: string): boolean;
}

/** Reads `x-amz-content-sha256`. `seed` is the request's own signature. */
export function readPayload(value: string, signed: SignedRequest): Payload {
  switch (value) {
    case 'UNSIGNED-PAYLOAD':
      return { kind: 'unsigned' };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'chunked', trailer: true };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'chunked', trailer: false, chain: createChunkSignatures(signed) };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked', trailer: true, chain: createChunkSignatures(signed) };
  }
  if (/^[0-9a-f]{64}$/.test(value)) return { kind: 'hashed', sha256: value };
  if (value.startsWith('STREAMING-')) throw notImplemented(`x-amz-content-sha256: ${value}`);
  throw new S3Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- constant, or a SHA-256 in lower-case hexadecimal.',
    { elements: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value } },
  );
}

export interface SignedRequest {
  credential: Credential;
  signing_key: Buffer;
  amz_date: string;
  signature: string;
}

const emptySha256 = sha256Hex('');

function createChunkSignatures(signed: SignedRequest): ChunkSignatures {
  let previous = signed.signature;
  const accept = (algorithm: string, hashes: string[], signature: string) => {
    const text = [algorithm, signed.amz_date, scopeOf(signed.credential), previous, ...hashes].join('\n');
    previous = sign(signed.signing_key, text);
    return previous === signature;
  };
  return {
    acceptChunk: (sha256, signature) => accept('AWS4-HMAC-SHA256-PAYLOAD', [emptySha256, sha256], signature),
    acceptTrailer: (trailer, signature) => accept('AWS4-HMAC-SHA256-TRAILER', [sha256Hex(trailer)], signature),
  };
}
