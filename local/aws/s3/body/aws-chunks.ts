import { createHash } from 'node:crypto';
import type { Payload } from '../authenticate.ts';
import { S3Error } from '../errors.ts';
import { createByteReader } from '../http/byte-reader.ts';

type ChunkedPayload = Extract<Payload, { kind: 'chunked' }>;

const longestLine = 4096;

/** Only the last chunk may be shorter (Signature Version 4, "Transferring payload in multiple chunks"). */
const shortestChunk = 8192;

/**
 * Decodes `aws-chunked`: chunks as `<hex length>[;chunk-signature=…]`, the last of length 0, then the trailer.
 * Each signature is checked once its chunk has passed, so what was yielded is proven only when this ends.
 * @param trailer receives the trailing headers
 */
export async function* readAwsChunks(
  body: AsyncIterable<Buffer>,
  payload: ChunkedPayload,
  trailer: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = createByteReader(body);
  const line = async () => {
    const text = await reader.line(longestLine);
    if (text === undefined) throw incomplete();
    return text;
  };

  let previous = shortestChunk;
  for (let number = 1; ; number++) {
    const head = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(await line());
    if (!head) throw new S3Error('InvalidRequest', 'The body is not aws-chunked, though x-amz-content-sha256 says so.');
    const length = Number.parseInt(head[1]!, 16);
    if (length > 0 && previous < shortestChunk) throw tooShort(number, previous);
    previous = length;
    const hash = payload.chain && createHash('sha256');
    let received = 0;
    for await (const piece of reader.take(length)) {
      received += piece.length;
      hash?.update(piece);
      yield piece;
    }
    if (received < length) throw incomplete();
    if (hash && !payload.chain?.acceptChunk(hash.digest('hex'), head[2] ?? '')) throw wrongSignature('chunk');
    if (length === 0) break;
    if ((await line()) !== '') throw incomplete();
  }

  let signature = '';
  const signed: string[] = [];
  for (let text = await line(); text !== ''; text = await line()) {
    const colon = text.indexOf(':');
    if (colon < 0) throw new S3Error('MalformedTrailerError', 'The request contained trailing data that is no header.');
    const name = text.slice(0, colon).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') {
      signature = value;
      continue;
    }
    trailer.set(name, value);
    signed.push(`${name}:${value}\n`);
  }
  if (payload.trailer && payload.chain && !payload.chain.acceptTrailer(signed.join(''), signature)) {
    throw wrongSignature('trailer');
  }
}

/** The JavaScript SDK makes a chunk of each buffer of a stream, so small buffers end here unless they are gathered. */
function tooShort(number: number, size: number): S3Error {
  return new S3Error(
    'InvalidChunkSizeError',
    `Only the last chunk is allowed to have a size less than ${shortestChunk} bytes`,
    { elements: { Chunk: number, BadChunkSize: size } },
  );
}

function wrongSignature(where: string): S3Error {
  return new S3Error('SignatureDoesNotMatch', `The signature of a ${where} does not match what was received.`);
}

function incomplete(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'The aws-chunked body ended before its last chunk, or a chunk has another length.',
  );
}
