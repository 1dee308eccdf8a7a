import { S3Error } from '../errors.ts';
import { type ByteReader, createByteReader } from './byte-reader.ts';

export interface Form {
  /** Fields before the file, by lower-case name. Those after it are not read: S3 ignores them. */
  fields: Map<string, string>;
  /** Must be read to its end before anything is trusted: a cut-off form throws there. */
  file?: { name: string; bytes: AsyncGenerator<Buffer> };
}

interface PartHead {
  name: string;
  filename: string | undefined;
}

/** What may precede the file, as at S3. */
const mostFieldBytes = 20 * 1024;
const longestHeader = 8 * 1024;

/** Reads `multipart/form-data` (RFC 7578) up to its file, whose bytes are then streamed. */
export async function readForm(body: AsyncIterable<Buffer>, contentType: string): Promise<Form> {
  const boundary = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType);
  if (!boundary) throw malformed();
  const separator = `--${boundary[1] ?? boundary[2]}`;
  const delimiter = Buffer.from(`\r\n${separator}`);
  const reader = createByteReader(body);
  const fields = new Map<string, string>();
  let fieldBytes = 0;

  let line = await reader.line(longestHeader);
  if (line !== separator) throw malformed();
  for (;;) {
    const head = await readHead(reader);
    if (head.name.toLowerCase() === 'file') {
      return { fields, file: { name: head.filename ?? '', bytes: readToDelimiter(reader, delimiter) } };
    }
    const pieces: Buffer[] = [];
    for await (const piece of readToDelimiter(reader, delimiter)) {
      fieldBytes += piece.length;
      if (fieldBytes > mostFieldBytes) {
        throw new S3Error(
          'MaxPostPreDataLengthExceeded',
          'Your POST request fields preceding the upload file were too large.',
          { elements: { MaxPostPreDataLengthBytes: mostFieldBytes } },
        );
      }
      pieces.push(piece);
    }
    fields.set(head.name.toLowerCase(), Buffer.concat(pieces).toString());
    line = await reader.line(longestHeader);
    if (line === '--') return { fields };
    if (line !== '') throw malformed();
  }
}

async function readHead(reader: ByteReader): Promise<PartHead> {
  let head: PartHead | undefined;
  for (let line = await reader.line(longestHeader); line !== ''; line = await reader.line(longestHeader)) {
    if (line === undefined) throw malformed();
    if (!/^content-disposition:\s*form-data\s*;/i.test(line)) continue;
    const name = parameterOf(line, 'name');
    if (name !== undefined) head = { name, filename: parameterOf(line, 'filename') };
  }
  if (!head) throw malformed();
  return head;
}

/** Browsers escape quotes and line breaks in names by percent-encoding them (HTML, "multipart/form-data encoding algorithm"). */
function parameterOf(header: string, name: string): string | undefined {
  const value = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^\\s;]+))`, 'i').exec(header);
  return (value?.[1] ?? value?.[2])?.replace(/%22|%0D|%0A/gi, decodeURIComponent);
}

async function* readToDelimiter(reader: ByteReader, delimiter: Buffer): AsyncGenerator<Buffer> {
  if (!(yield* reader.until(delimiter))) throw malformed();
}

function malformed(): S3Error {
  return new S3Error('MalformedPOSTRequest', 'The body of your POST request is not well-formed multipart/form-data.');
}
