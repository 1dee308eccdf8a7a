import { S3Error } from '../errors.ts';

export interface ByteRange {
  start: number;
  /** Inclusive. */
  end: number;
}

/**
 * Reads `Range: bytes=…` with one range. Several ranges, another unit or a malformed one mean the whole object, as at S3.
 * @throws `InvalidRange` when nothing of the object lies in it
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const [, first, last] = parts;
  if (first === '') {
    const length = Math.min(Number(last), size);
    if (length === 0) throw invalidRange(header, size);
    return { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw invalidRange(header, size);
  return { start, end };
}

function invalidRange(requested: string | undefined, size: number): S3Error {
  return new S3Error('InvalidRange', 'The requested range is not satisfiable', {
    elements: { RangeRequested: requested, ActualObjectSize: size },
    headers: { 'content-range': `bytes */${size}` },
  });
}
