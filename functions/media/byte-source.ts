/** A file that is read in ranges, such as an S3 object. */
export type ByteSource = {
  /** Length of the file in bytes. */
  readonly size: number;
  /** Reads the bytes from `start` up to, not including, `end`; always within the file. */
  read(start: number, end: number): Promise<Uint8Array>;
};

/** Reads the same file in whole blocks, each only once: the many small reads of a header become one or two requests. */
export function inBlocks(source: ByteSource, blockSize = 256 * 1024): ByteSource {
  const blocks = new Map<number, Promise<Uint8Array>>();
  const blockAt = (index: number): Promise<Uint8Array> => {
    const [start, end] = [index * blockSize, Math.min((index + 1) * blockSize, source.size)];
    const block =
      blocks.get(index) ??
      source.read(start, end).then((bytes) => {
        if (bytes.byteLength !== end - start) throw new Error('A range was answered with another number of bytes.');
        return bytes;
      });
    blocks.set(index, block);
    return block;
  };
  return {
    size: source.size,
    async read(start, end) {
      const parts: Uint8Array[] = [];
      for (let at = start; at < end; ) {
        const offset = at % blockSize;
        const part = (await blockAt((at - offset) / blockSize)).subarray(offset, offset + end - at);
        parts.push(part);
        at += part.byteLength;
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
  };
}

/** S3 refuses a chunk of a streamed body under 8 KiB unless it is the last, and each buffer of a stream becomes one chunk. */
const PIECE_BYTES = 64 * 1024;

/** Joins the pieces of a stream to at least 64 KiB each, except for the last. Holds one piece, so memory stays flat. */
export async function* gather(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let gathered = 0;
  for await (const piece of source) {
    pieces.push(piece);
    gathered += piece.byteLength;
    if (gathered < PIECE_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    gathered = 0;
  }
  if (gathered > 0) yield Buffer.concat(pieces);
}
