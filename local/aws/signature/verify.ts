import { timingSafeEqual } from 'node:crypto';
import {
  type Credential,
  canonicalRequests,
  deriveSigningKey,
  hmacHex,
  parseAmzDate,
  parseCredential,
  type SignedRequest,
  scopeOf,
  sha256Hex,
} from './canonical.ts';

export interface SignatureServices {
  now: () => number;
  /** Returns undefined for an access key that does not exist. */
  secretOf: (accessKeyId: string) => string | undefined;
}

/** The rules that differ between services. */
export interface SignatureRules {
  /** The service that a signature must name. @default any */
  service?: string;
  clock_skew_minutes: number;
  /** Whether the signature must cover a header of the request. */
  mustBeSigned: (header: string) => boolean;
}

/** Why a signature is invalid. Each service has its own error codes for these. */
export type SignatureErrorReason =
  | 'missing'
  | 'mechanism'
  | 'malformed_header'
  | 'malformed_query'
  | 'scope'
  | 'unknown_key'
  | 'date'
  | 'skewed'
  | 'expired'
  | 'unsigned_header'
  | 'mismatch';

export class SignatureError extends Error {
  readonly reason: SignatureErrorReason;

  constructor(reason: SignatureErrorReason, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.reason = reason;
  }
}

/** A signature as read from the header or the query. */
interface ParsedSignature {
  credential: Credential;
  signed_headers: string[];
  signature: string;
  amz_date: string;
  /** Only in a query. */
  expires_seconds?: number;
}

const maxExpirySeconds = 7 * 24 * 60 * 60;

/** Whether the signature is in the query. */
export function isPresigned(parameters: SignedRequest['parameters']): boolean {
  return parameters.some(([name]) => name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature');
}

/**
 * Verifies the Signature Version 4 in a request's `Authorization` header or query and returns its credential. @throws
 * SignatureError
 */
export function verifySignature(
  request: SignedRequest,
  services: SignatureServices,
  rules: SignatureRules,
): Credential {
  const parsed = isPresigned(request.parameters) ? readQuery(request) : readHeader(request);
  const { credential, amz_date, signature, signed_headers: signedHeaders } = parsed;
  if (rules.service !== undefined && credential.service !== rules.service) {
    throw new SignatureError('scope', `Credential should be scoped to the service ${rules.service}.`);
  }
  const signingKey = signingKeyOf(credential, services);
  checkDate(parsed, services.now(), rules.clock_skew_minutes * 60_000);
  // A header that changes the meaning of a request must be signed, or the holder of a presigned URL could add it.
  const missing = [...request.headers.keys()].filter(
    (name) => rules.mustBeSigned(name) && !signedHeaders.includes(name),
  );
  if (missing.length > 0) {
    throw new SignatureError('unsigned_header', `There were headers which were not signed: ${missing.join(', ')}.`);
  }
  const stringsToSign = canonicalRequests(request, signedHeaders).map((canonical) =>
    ['AWS4-HMAC-SHA256', amz_date, scopeOf(credential), sha256Hex(canonical)].join('\n'),
  );
  checkSignature(signingKey, stringsToSign, signature);
  return credential;
}

/** @throws SignatureError */
export function signingKeyOf(credential: Credential, { secretOf }: Pick<SignatureServices, 'secretOf'>): Buffer {
  const secret = secretOf(credential.access_key_id);
  if (secret !== undefined) return deriveSigningKey(secret, credential);
  throw new SignatureError('unknown_key', `The access key ${credential.access_key_id} does not exist in our records.`);
}

/** @param stringsToSign the signature must match one of them @throws SignatureError */
export function checkSignature(signingKey: Buffer, stringsToSign: readonly string[], signature: string): void {
  const provided = Buffer.from(signature);
  const matches = (expected: Buffer) => expected.length === provided.length && timingSafeEqual(expected, provided);
  if (stringsToSign.some((text) => matches(Buffer.from(hmacHex(signingKey, text))))) return;
  throw new SignatureError(
    'mismatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  );
}

function readHeader({ headers }: SignedRequest): ParsedSignature {
  const authorization = headers.get('authorization');
  if (authorization === undefined) {
    throw new SignatureError(
      'missing',
      'The request is not signed with Signature Version 4, and anonymous access is not supported.',
    );
  }
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new SignatureError('mechanism', 'This authorization mechanism is not supported. Use AWS4-HMAC-SHA256.');
  }
  const field = (name: string) => new RegExp(`[\\s,]${name}=([^\\s,]+)`).exec(authorization)?.[1];
  const date = headers.get('x-amz-date');
  return readParts(field('Credential'), field('SignedHeaders'), field('Signature'), date, 'malformed_header');
}

function readQuery({ headers, parameters }: SignedRequest): ParsedSignature {
  if (headers.has('authorization')) {
    throw new SignatureError('mechanism', 'Only one mechanism allowed: a presigned URL or an Authorization header.');
  }
  const query = new Map(parameters);
  const field = (name: string) => query.get(`X-Amz-${name}`);
  const malformed = (message: string) => new SignatureError('malformed_query', message);
  if (field('Algorithm') !== 'AWS4-HMAC-SHA256') throw malformed('X-Amz-Algorithm only supports AWS4-HMAC-SHA256.');
  const expires = field('Expires') ?? '';
  if (!/^\d+$/.test(expires) || Number(expires) > maxExpirySeconds) {
    throw malformed(`X-Amz-Expires must be a number of seconds up to a week, ${maxExpirySeconds}.`);
  }
  const parsed = [field('Credential'), field('SignedHeaders'), field('Signature'), field('Date')] as const;
  return { ...readParts(...parsed, 'malformed_query'), expires_seconds: Number(expires) };
}

function readParts(
  credentialText: string | undefined,
  signedHeaders: string | undefined,
  signature: string | undefined,
  amzDate: string | undefined,
  reason: SignatureErrorReason,
): ParsedSignature {
  if (!credentialText || !signedHeaders || !signature) {
    throw new SignatureError(reason, 'A signature needs Credential, SignedHeaders and Signature.');
  }
  const credential = parseCredential(credentialText);
  if (!credential) {
    throw new SignatureError('scope', 'The credential must be <key id>/<date>/<region>/<service>/aws4_request.');
  }
  return { credential, signed_headers: signedHeaders.toLowerCase().split(';'), signature, amz_date: amzDate ?? '' };
}

function checkDate({ credential, amz_date, expires_seconds }: ParsedSignature, now: number, skew: number): void {
  const time = parseAmzDate(amz_date);
  if (time === undefined || amz_date.slice(0, 8) !== credential.date) {
    throw new SignatureError(
      'date',
      'The request needs an x-amz-date (20260131T235959Z) on the day of its credential.',
    );
  }
  const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
  if (expires_seconds === undefined) {
    if (Math.abs(now - time) <= skew) return;
    throw new SignatureError(
      'skewed',
      `The difference between the request time and the current time is too large: ${iso(time)}, ${iso(now)}.`,
    );
  }
  if (time > now + skew) throw new SignatureError('expired', 'Request is not yet valid');
  const end = time + expires_seconds * 1000;
  if (now > end)
    throw new SignatureError('expired', `Request has expired: it ended at ${iso(end)}, it is ${iso(now)}.`);
}
