import { S3Error } from '../errors.ts';

const longestLine = 4096;

/** Only the last chunk may be shorter (Signature Version 4, "Transferring payload in multiple chunks"). */
const shortestChunk = 8192;

/**
 * Decodes `aws-chunked`: chunks as `<hex length>`, the last of length 0, then the trailer.
 * @param trailer receives the trailing headers
 */
export async function* readAwsChunks(
  body: AsyncIterable<Buffer>,
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
    const head = /^[0-9a-fA-F]{1,12}$/.exec(await line());
    if (!head) throw new S3Error('InvalidRequest', 'The body is not aws-chunked, though x-amz-content-sha256 says so.');
    const length = Number.parseInt(head[0], 16);
    if (length > 0 && previous < shortestChunk) throw tooShort(number, previous);
    previous = length;
    let received = 0;
    for await (const piece of reader.take(length)) {
      received += piece.length;
      yield piece;
    }
    if (received < length) throw incomplete();
    if (length === 0) break;
    if ((await line()) !== '') throw incomplete();
  }

  for (let text = await line(); text !== ''; text = await line()) {
    const colon = text.indexOf(':');
    if (colon < 0) throw new S3Error('MalformedTrailerError', 'The request contained trailing data that is no header.');
    trailer.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim());
  }
}

/** The JavaScript SDK makes a chunk of each buffer of a stream, so small buffers end here unless they are gathered. */
function tooShort(number: number, size: number): S3Error {
  return new S3Error(
    'InvalidChunkSizeError',
    `Only the last chunk is allowed to have a size less than ${shortestChunk} bytes: chunk ${number} has ${size}.`,
  );
}

function incomplete(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'The aws-chunked body ended before its last chunk, or a chunk has another length.',
  );
}

/** Reads a stream of buffers by lines and by count, holding little more than one buffer at a time. */
interface ByteReader {
  /** The next line without its CRLF; `undefined` when the stream ends first or the line is longer than `limit` bytes. */
  line(limit: number): Promise<string | undefined>;
  /** The next `count` bytes, piece by piece; fewer when the stream ends first. */
  take(count: number): AsyncGenerator<Buffer>;
}

const lineEnd = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);

export function createByteReader(source: AsyncIterable<Buffer>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = nothing;

  /** Appends the next buffer; false at the end of the stream. */
  async function more(): Promise<boolean> {
    const next = await iterator.next();
    if (next.done) return false;
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    return true;
  }

  function cut(count: number): Buffer {
    const piece = held.subarray(0, count);
    held = held.subarray(count);
    return piece;
  }

  return {
    async line(limit) {
      let end = held.indexOf(lineEnd);
      while (end < 0) {
        if (held.length >= limit + lineEnd.length || !(await more())) return undefined;
        end = held.indexOf(lineEnd);
      }
      if (end > limit) return undefined;
      const line = cut(end).toString();
      cut(lineEnd.length);
      return line;
    },
    async *take(count) {
      let missing = count;
      while (missing > 0) {
        if (held.length === 0 && !(await more())) return;
        const piece = cut(missing);
        missing -= piece.length;
        yield piece;
      }
    },
  };
}
