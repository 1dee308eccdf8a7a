/** S3 refuses a chunk of a streamed body under 8 KiB that is not the last, and each buffer of a stream becomes one chunk. */
const PIECE_BYTES = 64 * 1024;

/**
 * The same bytes in pieces of at least 64 KiB, the last one excepted. Reads ahead no further than the piece it is gathering, so
 * memory stays flat behind a slow reader.
 */
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
