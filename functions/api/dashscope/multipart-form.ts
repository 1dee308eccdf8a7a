import { pipeline } from 'node:stream/promises';

/** The most parts of a form; those of this protocol have ten. */
const MAX_PARTS = 40;
/** The most bytes of boundaries and part headers. */
const MAX_OVERHEAD_BYTES = 16 * 1024;
/** The parser creates objects for every part of a chunk, even beyond its limit, so it receives the form in small chunks. */
const CHUNK_BYTES = 16 * 1024;

/**
 * Reads a form (multipart/form-data, RFC 7578): the bytes of its parts by their names. File names and content types of parts are
 * ignored.
 * @returns undefined if the body is no form or an incomplete one, has more than 40 parts or 16 KiB of headers, or if a part has no name
 * or the same name as another one
 */
export async function readMultipartForm(
  body: Uint8Array,
  contentType: string,
): Promise<Map<string, Buffer> | undefined> {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) return undefined;
  // Loaded on demand: most requests are not forms and should not pay for the parser at a cold start.
  const { Busboy } = await import('@fastify/busboy');
  const parts = new Map<string, Buffer[]>();
  try {
    const form = new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: MAX_PARTS, headerSize: MAX_OVERHEAD_BYTES, headerPairs: 20 },
      // No backpressure: the body is already in memory, and a skipped part that pauses the parser would block it forever.
      fileHwm: body.byteLength + 1,
      // As files, fields keep their bytes; otherwise they are decoded with the character set that the part names.
      isPartAFile: () => true,
    });
    form.on('partsLimit', () => form.destroy(new Error('The form has too many parts.')));
    form.on('file', (name: string | undefined, part) => {
      const chunks: Buffer[] = [];
      part.on('data', (chunk: Buffer) => chunks.push(chunk));
      // When a form ends within a part, both the part and the form fail.
      part.on('error', (error) => form.destroy(error));
      if (name === undefined || parts.has(name))
        form.destroy(new Error('A part has no name, or one that another has.'));
      else parts.set(name, chunks);
    });
    await pipeline(chunksOf(body), form);
  } catch {
    return undefined;
  }
  const contents = new Map([...parts].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
  const overhead = [...contents.values()].reduce((left, { byteLength }) => left - byteLength, body.byteLength);
  return overhead > MAX_OVERHEAD_BYTES ? undefined : contents;
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}
