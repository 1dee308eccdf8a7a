import { createHash, createHmac } from 'node:crypto';

/** The credential scope of a signature: key, day, region and service. */
export interface Credential {
  access_key_id: string;
  /** `20260131` */
  date: string;
  region: string;
  service: string;
}

/** The parts of a request that Signature Version 4 covers. */
export interface SignedRequest {
  method: string;
  /** Canonicalized: by `canonicalPath`, or by `uriEncodePath` for S3. */
  path: string;
  /** The decoded query. */
  parameters: readonly (readonly [name: string, value: string])[];
  /** By lower-case name. */
  headers: ReadonlyMap<string, string>;
  /** The body's SHA-256, or one of S3's constants. */
  payload: string;
}

/** Reads Node's raw header list. Names become lower-case; the values of a repeated header are joined by a comma. */
export function readHeaders(rawHeaders: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name, value] = [rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!];
    headers.set(name, headers.has(name) ? `${headers.get(name)},${value}` : value);
  }
  return headers;
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Parses `<access key id>/<date>/<region>/<service>/aws4_request`. */
export function parseCredential(text: string): Credential | undefined {
  const parts = /^(.+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(text);
  return parts ? { access_key_id: parts[1]!, date: parts[2]!, region: parts[3]!, service: parts[4]! } : undefined;
}

export function scopeOf({ date, region, service }: Credential): string {
  return `${date}/${region}/${service}/aws4_request`;
}

/** Derives the signing key of a day (Signature Version 4, "Derive a signing key"). */
export function deriveSigningKey(secret: string, credential: Credential): Buffer {
  return scopeOf(credential)
    .split('/')
    .reduce(hmac, Buffer.from(`AWS4${secret}`));
}

export function hmacHex(signingKey: Buffer, text: string): string {
  return hmac(signingKey, text).toString('hex');
}

/** Parses `20260131T235959Z` to milliseconds. Returns undefined for any other form. */
export function parseAmzDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/.exec(text);
  const time = parts ? Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}:${parts[4]}:${parts[5]}`) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Returns the canonical requests that a client may have signed. There are two if a header has non-ASCII bytes: clients
 * whose headers are strings (the JavaScript SDK) sign them as Latin-1 text, others as raw bytes.
 */
export function canonicalRequests(request: SignedRequest, signedHeaders: readonly string[]): string[] {
  const asLatin1 = canonicalRequest(request, signedHeaders, (value) => value);
  const asBytes = canonicalRequest(request, signedHeaders, (value) => Buffer.from(value, 'latin1').toString());
  return asLatin1 === asBytes ? [asLatin1] : [asLatin1, asBytes];
}

function canonicalRequest(request: SignedRequest, names: readonly string[], read: (value: string) => string): string {
  const headers = names.map(
    (name) =>
      `${name}:${read(request.headers.get(name) ?? '')
        .trim()
        .replace(/\s+/g, ' ')}`,
  );
  const query = request.parameters
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map((pair) => pair.join('='))
    .join('&');
  return [request.method, request.path, query, ...headers, '', names.join(';'), request.payload].join('\n');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * Canonicalizes a path for all services but S3: removes `.`, `..` and empty segments and encodes the others once more.
 */
export function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const last = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.map(uriEncode).join('/')}${last}`;
}

/** Percent-encodes everything but `A-Z a-z 0-9 - . _ ~`. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (hmacHex) => `%${hmacHex.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Encodes like `uriEncode`, but keeps the slashes of a path. */
export function uriEncodePath(path: string): string {
  return path.split('/').map(uriEncode).join('/');
}
