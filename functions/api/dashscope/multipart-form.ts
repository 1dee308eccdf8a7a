import { pipeline } from 'node:stream/promises';

/** A form of this protocol has ten fields. */
const MAX_PARTS = 40;
/** Of what is neither a file nor a field: boundaries and the headers of parts. */
const MAX_OVERHEAD_BYTES = 16 * 1024;
/** The parser makes objects for every part of a chunk, also for those beyond its limit, so it gets a form in small chunks. */
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
  // Most requests are no forms, and should not wait for a parser at a cold start.
  const { Busboy } = await import('@fastify/busboy');
  const parts = new Map<string, Buffer[]>();
  try {
    const form = new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: MAX_PARTS, headerSize: MAX_OVERHEAD_BYTES, headerPairs: 20 },
      // No backpressure: the body is in memory already, and a part that is skipped while it pauses the parser would block it for ever.
      fileHwm: body.byteLength + 1,
      // Fields come as text in a character set that the part names; a file's bytes come as they are.
      isPartAFile: () => true,
    });
    form.on('partsLimit', () => form.destroy(new Error('The form has too many parts.')));
    form.on('file', (name: string | undefined, part) => {
      const chunks: Buffer[] = [];
      part.on('data', (chunk: Buffer) => chunks.push(chunk));
      // Of a form that breaks off within a part, both fail.
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
