import { timingSafeEqual } from 'node:crypto';
import {
  type Credential,
  canonicalRequests,
  deriveSigningKey,
  parseAmzDate,
  parseCredential,
  type SignedRequest,
  scopeOf,
  sha256Hex,
  sign,
} from './canonical.ts';

export interface SignatureServices {
  now: () => number;
  /** `undefined` for an access key that does not exist. */
  secretOf: (accessKeyId: string) => string | undefined;
}

/** What services differ in. */
export interface SignatureRules {
  /** The service that a signature must name. @default any */
  service?: string;
  clock_skew_minutes: number;
  /** Whether a header of the request must be covered by the signature. */
  mustBeSigned: (header: string) => boolean;
}

/** What is wrong with a signature. Each service has its own names for these. */
export type SignatureFault =
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
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.fault = fault;
  }
}

/** What both places of a signature, the header and the query, say. */
interface Claim {
  credential: Credential;
  signed_headers: string[];
  signature: string;
  amz_date: string;
  /** Only in a query. */
  expires_seconds?: number;
}

const longestExpirySeconds = 7 * 24 * 60 * 60;

/** Whether the signature is in the query. */
export function isPresigned(parameters: SignedRequest['parameters']): boolean {
  return parameters.some(([name]) => name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature');
}

/** Checks the Signature Version 4 of a request, in its `Authorization` header or its query, and says whose it is. @throws SignatureError */
export function verifySignature(
  request: SignedRequest,
  services: SignatureServices,
  rules: SignatureRules,
): Credential {
  const claim = isPresigned(request.parameters) ? readQuery(request) : readHeader(request);
  const { credential, amz_date, signature, signed_headers: signedHeaders } = claim;
  if (rules.service !== undefined && credential.service !== rules.service) {
    throw new SignatureError('scope', `Credential should be scoped to the service ${rules.service}.`);
  }
  const signingKey = signingKeyOf(credential, services);
  checkTime(claim, services.now(), rules.clock_skew_minutes * 60_000);
  // Headers that change meaning must be covered, or anyone with a presigned URL could add them.
  const missing = [...request.headers.keys()].filter(
    (name) => rules.mustBeSigned(name) && !signedHeaders.includes(name),
  );
  if (missing.length > 0) {
    throw new SignatureError('unsigned_header', `There were headers which were not signed: ${missing.join(', ')}.`);
  }
  const texts = canonicalRequests(request, signedHeaders).map((canonical) =>
    ['AWS4-HMAC-SHA256', amz_date, scopeOf(credential), sha256Hex(canonical)].join('\n'),
  );
  checkSignature(signingKey, texts, signature);
  return credential;
}

/** @throws SignatureError */
export function signingKeyOf(credential: Credential, { secretOf }: Pick<SignatureServices, 'secretOf'>): Buffer {
  const secret = secretOf(credential.access_key_id);
  if (secret !== undefined) return deriveSigningKey(secret, credential);
  throw new SignatureError('unknown_key', `The access key ${credential.access_key_id} does not exist in our records.`);
}

/** @param texts of which the signature is made over one @throws SignatureError */
export function checkSignature(signingKey: Buffer, texts: readonly string[], signature: string): void {
  const given = Buffer.from(signature);
  const isRight = (expected: Buffer) => expected.length === given.length && timingSafeEqual(expected, given);
  if (texts.some((text) => isRight(Buffer.from(sign(signingKey, text))))) return;
  throw new SignatureError(
    'mismatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  );
}

function readHeader({ headers }: SignedRequest): Claim {
  const authorization = headers.get('authorization');
  if (authorization === undefined) {
    throw new SignatureError(
      'missing',
      'The request is not signed with Signature Version 4, and nothing here is public.',
    );
  }
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new SignatureError('mechanism', 'This authorization mechanism is not supported. Use AWS4-HMAC-SHA256.');
  }
  const field = (name: string) => new RegExp(`[\\s,]${name}=([^\\s,]+)`).exec(authorization)?.[1];
  const date = headers.get('x-amz-date');
  return readClaim(field('Credential'), field('SignedHeaders'), field('Signature'), date, 'malformed_header');
}

function readQuery({ headers, parameters }: SignedRequest): Claim {
  if (headers.has('authorization')) {
    throw new SignatureError('mechanism', 'Only one mechanism allowed: a presigned URL or an Authorization header.');
  }
  const query = new Map(parameters);
  const field = (name: string) => query.get(`X-Amz-${name}`);
  const malformed = (why: string) => new SignatureError('malformed_query', why);
  if (field('Algorithm') !== 'AWS4-HMAC-SHA256') throw malformed('X-Amz-Algorithm only supports AWS4-HMAC-SHA256.');
  const expires = field('Expires') ?? '';
  if (!/^\d+$/.test(expires) || Number(expires) > longestExpirySeconds) {
    throw malformed(`X-Amz-Expires must be a number of seconds up to a week, ${longestExpirySeconds}.`);
  }
  const claim = [field('Credential'), field('SignedHeaders'), field('Signature'), field('Date')] as const;
  return { ...readClaim(...claim, 'malformed_query'), expires_seconds: Number(expires) };
}

function readClaim(
  credentialText: string | undefined,
  signedHeaders: string | undefined,
  signature: string | undefined,
  amzDate: string | undefined,
  fault: SignatureFault,
): Claim {
  if (!credentialText || !signedHeaders || !signature) {
    throw new SignatureError(fault, 'A signature needs Credential, SignedHeaders and Signature.');
  }
  const credential = parseCredential(credentialText);
  if (!credential) {
    throw new SignatureError('scope', 'The credential must be <key id>/<date>/<region>/<service>/aws4_request.');
  }
  return { credential, signed_headers: signedHeaders.toLowerCase().split(';'), signature, amz_date: amzDate ?? '' };
}

function checkTime({ credential, amz_date, expires_seconds }: Claim, now: number, skew: number): void {
  const time = parseAmzDate(amz_date);
  if (time === undefined || amz_date.slice(0, 8) !== credential.date) {
    throw new SignatureError('date', 'The request needs an x-amz-date (20260131T235959Z) of its credential’s day.');
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
