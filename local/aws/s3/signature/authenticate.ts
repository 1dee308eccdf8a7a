import { S3Error } from '../errors.ts';
import type { Headers } from '../http/headers.ts';
import type { Target } from '../http/target.ts';
import { canonicalRequests, sha256Hex } from './canonical.ts';
import { type Credential, deriveSigningKey, parseAmzDate, parseCredential, scopeOf, sign } from './credential.ts';
import { type Payload, readPayload } from './payload.ts';

export interface Access {
  access_key_id: string;
  payload: Payload;
}

export interface SignatureServices {
  now: () => number;
  secretOf: (accessKeyId: string) => string | undefined;
}

export interface UnauthenticatedRequest {
  method: string;
  target: Target;
  headers: Headers;
}

/** What both places of a signature, the header and the query, say. */
interface Claim {
  credential: string;
  signed_headers: string;
  signature: string;
  amz_date: string | undefined;
  payload: string;
}

const clockSkewMs = 15 * 60 * 1000;
const longestExpirySeconds = 7 * 24 * 60 * 60;

/**
 * Checks the Signature Version 4 of a request, in its `Authorization` header or its query.
 * @throws S3's own errors: no signature `AccessDenied`, unknown key `InvalidAccessKeyId`, wrong signature `SignatureDoesNotMatch`,
 *   clock off by over 15 minutes `RequestTimeTooSkewed`, presigned URL over its time `AccessDenied`
 */
export function authenticate(request: UnauthenticatedRequest, services: SignatureServices): Access {
  const parameters = new Map(request.target.parameters);
  const authorization = request.headers.get('authorization');
  if (parameters.has('X-Amz-Algorithm') || parameters.has('X-Amz-Signature')) {
    if (authorization !== undefined) {
      throw new S3Error(
        'InvalidArgument',
        'Only one auth mechanism allowed: a presigned URL or an Authorization header.',
      );
    }
    const claim = readPresigned(parameters, request.headers);
    return verify(request, claim, services, (time) => checkExpiry(time, parameters, services.now()));
  }
  if (authorization === undefined) {
    throw new S3Error('AccessDenied', 'Access Denied: the request is not signed, and nothing here is public.');
  }
  const claim = readAuthorization(authorization, request.headers);
  return verify(request, claim, services, (time) => checkSkew(time, services.now()));
}

function readAuthorization(authorization: string, headers: Headers): Claim {
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new S3Error(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    );
  }
  const field = (name: string) => new RegExp(`[\\s,]${name}=([^\\s,]+)`).exec(authorization)?.[1];
  const credential = field('Credential');
  const signedHeaders = field('SignedHeaders');
  const signature = field('Signature');
  if (!credential || !signedHeaders || !signature) {
    throw new S3Error('AuthorizationHeaderMalformed', 'The header needs Credential, SignedHeaders and Signature.');
  }
  const payload = headers.get('x-amz-content-sha256');
  if (payload === undefined) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  return { credential, signed_headers: signedHeaders, signature, amz_date: headers.get('x-amz-date'), payload };
}

function readPresigned(parameters: ReadonlyMap<string, string>, headers: Headers): Claim {
  if (parameters.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') {
    throw queryError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  }
  const credential = parameters.get('X-Amz-Credential');
  const signedHeaders = parameters.get('X-Amz-SignedHeaders');
  const signature = parameters.get('X-Amz-Signature');
  if (!credential || !signedHeaders || !signature) {
    throw queryError(
      'The query needs X-Amz-Credential, X-Amz-SignedHeaders, X-Amz-Signature, X-Amz-Date and X-Amz-Expires.',
    );
  }
  const payload = headers.get('x-amz-content-sha256') ?? parameters.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD';
  return { credential, signed_headers: signedHeaders, signature, amz_date: parameters.get('X-Amz-Date'), payload };
}

function verify(
  request: UnauthenticatedRequest,
  claim: Claim,
  services: SignatureServices,
  checkTime: (time: number) => void,
): Access {
  const credential = parseCredential(claim.credential);
  if (!credential) {
    throw new S3Error(
      'AuthorizationHeaderMalformed',
      'The credential must be <key id>/<date>/<region>/s3/aws4_request.',
    );
  }
  const secret = services.secretOf(credential.access_key_id);
  if (secret === undefined) throw unknownKey(credential);
  const time = claim.amz_date === undefined ? undefined : parseAmzDate(claim.amz_date);
  if (time === undefined || claim.amz_date?.slice(0, 8) !== credential.date) {
    throw new S3Error(
      'AccessDenied',
      'The request needs an x-amz-date (20260131T235959Z) of the day its credential names.',
    );
  }
  checkTime(time);
  const signedHeaders = claim.signed_headers.toLowerCase().split(';');
  checkSignedHeaders(request.headers, signedHeaders);

  const signingKey = deriveSigningKey(secret, credential);
  const texts = canonicalRequests({ ...request, signed_headers: signedHeaders, payload: claim.payload }).map(
    (canonical) => `AWS4-HMAC-SHA256\n${claim.amz_date}\n${scopeOf(credential)}\n${sha256Hex(canonical)}`,
  );
  if (!texts.some((text) => sign(signingKey, text) === claim.signature)) {
    throw signatureDoesNotMatch(credential, claim.signature, texts[0]);
  }
  const signed = { credential, signing_key: signingKey, amz_date: claim.amz_date, signature: claim.signature };
  return { access_key_id: credential.access_key_id, payload: readPayload(claim.payload, signed) };
}

export function unknownKey(credential: Credential): S3Error {
  return new S3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
    elements: { AWSAccessKeyId: credential.access_key_id },
  });
}

export function signatureDoesNotMatch(credential: Credential, provided: string, stringToSign?: string): S3Error {
  return new S3Error(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    {
      elements: {
        AWSAccessKeyId: credential.access_key_id,
        StringToSign: stringToSign,
        SignatureProvided: provided,
      },
    },
  );
}

/** Headers that change meaning must be covered, or whoever carries a URL could add them. */
function checkSignedHeaders(headers: Headers, signed: readonly string[]): void {
  const mustBeSigned = (name: string) => name === 'host' || name.startsWith('x-amz-');
  const missing = [...headers.keys()].filter((name) => mustBeSigned(name) && !signed.includes(name));
  if (missing.length === 0) return;
  throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
    elements: { HeadersNotSigned: missing.join(', ') },
  });
}

function checkSkew(time: number, now: number): void {
  if (Math.abs(now - time) <= clockSkewMs) return;
  throw new S3Error(
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
    {
      elements: {
        RequestTime: new Date(time).toISOString(),
        ServerTime: new Date(now).toISOString(),
        MaxAllowedSkewMilliseconds: clockSkewMs,
      },
    },
  );
}

function checkExpiry(time: number, parameters: ReadonlyMap<string, string>, now: number): void {
  const text = parameters.get('X-Amz-Expires') ?? '';
  const seconds = Number(text);
  if (!/^\d+$/.test(text)) throw queryError('X-Amz-Expires must be a number of seconds');
  if (seconds > longestExpirySeconds) {
    throw queryError(`X-Amz-Expires must be less than a week (in seconds): at most ${longestExpirySeconds}`);
  }
  if (time > now + clockSkewMs) throw new S3Error('AccessDenied', 'Request is not yet valid');
  const expires = time + seconds * 1000;
  if (now <= expires) return;
  throw new S3Error('AccessDenied', 'Request has expired', {
    elements: {
      'X-Amz-Expires': seconds,
      Expires: new Date(expires).toISOString(),
      ServerTime: new Date(now).toISOString(),
    },
  });
}

function queryError(why: string): S3Error {
  return new S3Error('AuthorizationQueryParametersError', why);
}
