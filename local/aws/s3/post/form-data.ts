import { Busboy } from '@fastify/busboy';
import { S3Error } from '../errors.ts';

export interface Form {
  /** The fields before the file, by lower-case name. S3 ignores fields after the file. */
  fields: Map<string, string>;
  /** Read it to the end before trusting anything: a truncated form throws there. */
  file?: { name: string; bytes: AsyncGenerator<Buffer> };
}

/** S3's limit for the fields before the file. */
const maxFieldBytes = 20 * 1024;

/** Reads `multipart/form-data` (RFC 7578) up to its file, whose bytes are streamed. */
export function readForm(body: AsyncIterable<Buffer>, contentType: string): Promise<Form> {
  return new Promise((resolve, reject) => {
    const parser = createParser(contentType);
    const fields = new Map<string, string>();
    let fieldBytes = 0;
    let isSettled = false;
    const settle = (end: () => void) => {
      isSettled = true;
      end();
    };

    parser.on('field', (name: string | undefined, value, _, isTruncated) => {
      if (isSettled) return;
      fieldBytes += Buffer.byteLength(value);
      if (name === undefined) settle(() => reject(malformed()));
      else if (isTruncated || fieldBytes > maxFieldBytes) settle(() => reject(fieldsTooLarge()));
      else fields.set(readName(name).toLowerCase(), value);
    });
    parser.on('file', (_, stream, name: string | undefined) => {
      settle(() => resolve({ fields, file: { name: readName(name ?? ''), bytes: readFile(stream) } }));
      // On a truncated file the parser emits the error on both, possibly after the reader has stopped.
      stream.on('error', () => {});
      parser.once('error', (error: Error) => stream.destroy(error));
    });
    parser.on('error', () => settle(() => reject(malformed())));
    // A form without any readable field is malformed.
    parser.on('finish', () => settle(() => (fields.size === 0 ? reject(malformed()) : resolve({ fields }))));

    const feed = async () => {
      for await (const piece of body) await new Promise((done) => parser.write(piece, done));
      parser.end();
    };
    feed().catch((error) => parser.emit('error', error));
  });
}

function createParser(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      limits: { fieldSize: maxFieldBytes, files: 1, headerSize: 8 * 1024 },
      preservePath: true,
    });
  } catch {
    throw malformed();
  }
}

async function* readFile(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch {
    throw malformed();
  }
}

/** Browsers percent-encode quotes and line breaks in names (HTML, "multipart/form-data encoding algorithm"). */
function readName(name: string): string {
  return name.replace(/%22|%0D|%0A/gi, decodeURIComponent);
}

function fieldsTooLarge(): S3Error {
  return new S3Error(
    'MaxPostPreDataLengthExceeded',
    `Your POST request fields preceding the upload file were too large: at most ${maxFieldBytes} bytes.`,
  );
}

function malformed(): S3Error {
  return new S3Error('MalformedPOSTRequest', 'The body of your POST request is not well-formed multipart/form-data.');
}
