import { Busboy } from '@fastify/busboy';
import { S3Error } from '../errors.ts';

export interface Form {
  /** Fields before the file, by lower-case name. Those after it are not read: S3 ignores them. */
  fields: Map<string, string>;
  /** Must be read to its end before anything is trusted: a cut-off form throws there. */
  file?: { name: string; bytes: AsyncGenerator<Buffer> };
}

/** What may precede the file, as at S3. */
const mostFieldBytes = 20 * 1024;

/** Reads `multipart/form-data` (RFC 7578) up to its file, whose bytes are then streamed. */
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
      else if (isTruncated || fieldBytes > mostFieldBytes) settle(() => reject(fieldsTooLarge()));
      else fields.set(readName(name).toLowerCase(), value);
    });
    parser.on('file', (_, stream, name: string | undefined) => {
      settle(() => resolve({ fields, file: { name: readName(name ?? ''), bytes: readFile(stream) } }));
      // The parser reports a form's end within the file to both, after the reader may have gone.
      stream.on('error', () => {});
      parser.once('error', (error: Error) => stream.destroy(error));
    });
    parser.on('error', () => settle(() => reject(malformed())));
    // A form of nothing that can be read is none.
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
      limits: { fieldSize: mostFieldBytes, files: 1, headerSize: 8 * 1024 },
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

/** Browsers escape quotes and line breaks in names by percent-encoding them (HTML, "multipart/form-data encoding algorithm"). */
function readName(name: string): string {
  return name.replace(/%22|%0D|%0A/gi, decodeURIComponent);
}

function fieldsTooLarge(): S3Error {
  return new S3Error(
    'MaxPostPreDataLengthExceeded',
    `Your POST request fields preceding the upload file were too large: at most ${mostFieldBytes} bytes.`,
  );
}

function malformed(): S3Error {
  return new S3Error('MalformedPOSTRequest', 'The body of your POST request is not well-formed multipart/form-data.');
}
