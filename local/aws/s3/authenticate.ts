import { uriEncodePath } from '../signature/canonical.ts';
import {
  isPresigned,
  type SignatureErrorReason,
  type SignatureServices,
  verifySignature,
} from '../signature/verify.ts';
import { checksumAlgorithms, checksumHeader } from './body/checksum.ts';
import { notImplemented, S3Error, type S3ErrorCode } from './errors.ts';
import type { Headers, Target } from './http/messages.ts';
import type { Call, Payload } from './operations/call.ts';

const rules = {
  service: 's3',
  clock_skew_minutes: 15,
  mustBeSigned: (header: string) => header === 'host' || header.startsWith('x-amz-'),
};

/** S3's error codes for an invalid signature. */
export const signatureErrorCodes: Record<SignatureErrorReason, S3ErrorCode> = {
  missing: 'AccessDenied',
  mechanism: 'InvalidRequest',
  malformed_header: 'AuthorizationHeaderMalformed',
  malformed_query: 'AuthorizationQueryParametersError',
  scope: 'AuthorizationHeaderMalformed',
  unknown_key: 'InvalidAccessKeyId',
  date: 'AccessDenied',
  skewed: 'RequestTimeTooSkewed',
  expired: 'AccessDenied',
  unsigned_header: 'AccessDenied',
  mismatch: 'SignatureDoesNotMatch',
};

/** Verifies a request's signature, in its `Authorization` header or its query. @throws SignatureError, S3Error */
export function authenticate(
  { method, target, headers }: { method: string; target: Target; headers: Headers },
  services: SignatureServices,
): Pick<Call, 'access_key_id' | 'payload'> {
  const { parameters } = target;
  const presigned = isPresigned(parameters);
  const inQuery = presigned ? (new Map(parameters).get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD') : undefined;
  const payload = headers.get('x-amz-content-sha256') ?? inQuery;
  if (payload === undefined && headers.has('authorization')) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  const request = { method, path: uriEncodePath(target.path), parameters, headers, payload: payload ?? '' };
  const { access_key_id } = verifySignature(request, services, rules);
  return { access_key_id, payload: readPayload(request.payload) };
}

/** Reads `x-amz-content-sha256`. */
function readPayload(value: string): Payload {
  if (value === 'UNSIGNED-PAYLOAD') return { kind: 'unsigned' };
  if (value === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return { kind: 'chunked' };
  if (/^[0-9a-f]{64}$/.test(value)) return { kind: 'hashed', sha256: value };
  if (value.startsWith('STREAMING-')) throw notImplemented(`x-amz-content-sha256: ${value}`);
  throw new S3Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, or a SHA-256 in lower-case hexadecimal.',
  );
}

const signatureParameters = new Set([
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);

/**
 * The checksum of a body in a presigned URL. The SDKs sign the one of an empty body by default, since they do not know the body, and S3
 * does not verify it: aws/aws-sdk-js-v3#4448, aws/aws-sdk-go-v2#2610. A checksum in a header is verified.
 */
const isBodyChecksum = (parameter: string): boolean =>
  parameter === 'x-amz-sdk-checksum-algorithm' ||
  checksumAlgorithms.some((algorithm) => checksumHeader(algorithm) === parameter);

/**
 * Removes the signature's parameters and the body's checksum from the query and turns the other `x-amz-` parameters of a presigned
 * URL back into headers.
 */
export function splitParameters(parameters: Target['parameters'], received: Headers): Pick<Call, 'query' | 'headers'> {
  if (!isPresigned(parameters)) return { query: new Map(parameters), headers: received };
  const query = new Map<string, string>();
  const headers = new Map(received);
  for (const [name, value] of parameters) {
    const header = name.toLowerCase();
    if (signatureParameters.has(header) || isBodyChecksum(header)) continue;
    if (!header.startsWith('x-amz-')) query.set(name, value);
    else if (!headers.has(header)) headers.set(header, value);
  }
  return { query, headers };
}
