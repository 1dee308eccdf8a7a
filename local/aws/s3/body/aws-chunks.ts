import { S3Error } from '../errors.ts';

const maxLineLength = 4096;

/** Only the last chunk may be smaller (Signature Version 4, "Transferring payload in multiple chunks"). */
const minChunkSize = 8192;

/**
 * Decodes `aws-chunked`: chunks that start with their length in hex, a chunk of length 0, then the trailer.
 * @param trailer receives the trailing headers
 */
export async function* readAwsChunks(
  body: AsyncIterable<Buffer>,
  trailer: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = createByteReader(body);
  const line = async () => {
    const text = await reader.line(maxLineLength);
    if (text === undefined) throw incomplete();
    return text;
  };

  let previous = minChunkSize;
  for (let number = 1; ; number++) {
    const head = /^[0-9a-fA-F]{1,12}$/.exec(await line());
    if (!head) throw new S3Error('InvalidRequest', 'The body is not aws-chunked as x-amz-content-sha256 declares.');
    const length = Number.parseInt(head[0], 16);
    if (length > 0 && previous < minChunkSize) throw tooShort(number, previous);
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
    if (colon < 0)
      throw new S3Error('MalformedTrailerError', 'The request contained trailing data that is not a header.');
    trailer.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim());
  }
}

/**
 * The JavaScript SDK sends each buffer of a stream as one chunk, so a stream of small buffers fails unless they are
 * joined.
 */
function tooShort(number: number, size: number): S3Error {
  return new S3Error(
    'InvalidChunkSizeError',
    `Only the last chunk is allowed to have a size less than ${minChunkSize} bytes: chunk ${number} has ${size}.`,
  );
}

function incomplete(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'The aws-chunked body ended before its last chunk, or a chunk has another length.',
  );
}

/** Reads a stream of buffers by line and by byte count. Holds little more than one buffer at a time. */
interface ByteReader {
  /**
   * Returns the next line without its CRLF. Returns undefined if the stream ends first or the line has more than
   * `limit` bytes.
   */
  line(limit: number): Promise<string | undefined>;
  /** Yields the next `count` bytes, or fewer if the stream ends first. */
  take(count: number): AsyncGenerator<Buffer>;
}

const lineEnd = Buffer.from('\r\n');
const emptyBuffer = Buffer.alloc(0);

export function createByteReader(source: AsyncIterable<Buffer>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let buffered: Buffer = emptyBuffer;

  /** Appends the next buffer. Returns false at the end of the stream. */
  async function readMore(): Promise<boolean> {
    const next = await iterator.next();
    if (next.done) return false;
    buffered = buffered.length === 0 ? next.value : Buffer.concat([buffered, next.value]);
    return true;
  }

  function takeBuffered(count: number): Buffer {
    const piece = buffered.subarray(0, count);
    buffered = buffered.subarray(count);
    return piece;
  }

  return {
    async line(limit) {
      let end = buffered.indexOf(lineEnd);
      while (end < 0) {
        if (buffered.length >= limit + lineEnd.length || !(await readMore())) return undefined;
        end = buffered.indexOf(lineEnd);
      }
      if (end > limit) return undefined;
      const line = takeBuffered(end).toString();
      takeBuffered(lineEnd.length);
      return line;
    },
    async *take(count) {
      let remaining = count;
      while (remaining > 0) {
        if (buffered.length === 0 && !(await readMore())) return;
        const piece = takeBuffered(remaining);
        remaining -= piece.length;
        yield piece;
      }
    },
  };
}
