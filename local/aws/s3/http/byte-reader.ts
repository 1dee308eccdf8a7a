/** Reads a stream of buffers by lines and by count, holding little more than one buffer at a time. */
export interface ByteReader {
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
