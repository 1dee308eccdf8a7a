import { createHash } from 'node:crypto';
import type { Headers } from '../http/headers.ts';
import type { Target } from '../http/target.ts';
import { uriEncode, uriEncodePath } from '../http/uri.ts';

export interface CanonicalInput {
  method: string;
  target: Target;
  headers: Headers;
  signed_headers: readonly string[];
  /** What stands for the body: its SHA-256 or one of S3's constants. */
  payload: string;
}

/**
 * The canonical requests a client may have signed: one, unless a header holds non-ASCII bytes. Those are signed
 * as Latin-1 text by clients whose headers are strings (the JavaScript SDK) and as raw bytes by others.
 */
export function canonicalRequests(input: CanonicalInput): string[] {
  const asLatin1 = canonicalRequest(input, (value) => value);
  const asBytes = canonicalRequest(input, (value) => Buffer.from(value, 'latin1').toString('utf8'));
  return asLatin1 === asBytes ? [asLatin1] : [asLatin1, asBytes];
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function canonicalRequest(input: CanonicalInput, read: (value: string) => string): string {
  const lines = input.signed_headers.map((name) => {
    const value = read(input.headers.get(name) ?? '');
    return `${name}:${value.trim().replace(/\s+/g, ' ')}\n`;
  });
  return [
    input.method,
    uriEncodePath(input.target.path),
    canonicalQuery(input.target),
    lines.join(''),
    input.signed_headers.join(';'),
    input.payload,
  ].join('\n');
}

function canonicalQuery(target: Target): string {
  return target.parameters
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
