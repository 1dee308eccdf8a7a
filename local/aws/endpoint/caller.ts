import type { IncomingMessage } from 'node:http';
import { readBody } from '../read-body.ts';
import { ServiceError } from '../service-error.ts';
import { canonicalPath, readHeaders, sha256Hex } from '../signature/canonical.ts';
import { SignatureError, type SignatureErrorReason, verifySignature } from '../signature/verify.ts';
import type { AccessKey } from './access-keys.ts';

export interface CallerServices {
  now: () => number;
  accessKey(accessKeyId: string): AccessKey | undefined;
}

/** The services' error codes. Every other reason is an `InvalidSignatureException`. */
const errorNames: Partial<Record<SignatureErrorReason, string>> = {
  missing: 'MissingAuthenticationTokenException',
  mechanism: 'MissingAuthenticationTokenException',
  malformed_header: 'MissingAuthenticationTokenException',
  unknown_key: 'UnrecognizedClientException',
};

/**
 * Verifies the signature of a call to any service but S3 and returns the key that signed it.
 * @param service the service that the signature must name. @default any
 * @throws ServiceError
 */
export function verifyCaller(
  request: { method: string; url: string; headers: ReadonlyMap<string, string> },
  body: Buffer,
  { now, accessKey }: CallerServices,
  service?: string,
): AccessKey {
  const [path = '/', query = ''] = request.url.split(/\?(.*)/s);
  const signed = {
    method: request.method,
    path: canonicalPath(path),
    // A plus sign here is literal, not a space.
    parameters: [...new URLSearchParams(query.replaceAll('+', '%2B'))],
    headers: request.headers,
    payload: sha256Hex(body),
  };
  const signatureRules = { service, clock_skew_minutes: 5, mustBeSigned: (header: string) => header === 'host' };
  try {
    const services = { now, secretOf: (id: string) => accessKey(id)?.secret_access_key };
    return accessKey(verifySignature(signed, services, signatureRules).access_key_id)!;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ServiceError(errorNames[error.reason] ?? 'InvalidSignatureException', error.message);
  }
}

/** Reads the body of a call and verifies its signature. @throws ServiceError */
export async function readCall(
  request: IncomingMessage,
  services: CallerServices,
): Promise<{ body: Buffer; principal: string }> {
  const body = await readBody(request, maxBodyBytes);
  if (!body) throw new ServiceError('RequestEntityTooLargeException', 'The request is larger than 17 MiB.', 413);
  const { method = '', url = '/', rawHeaders } = request;
  return { body, principal: verifyCaller({ method, url, headers: readHeaders(rawHeaders) }, body, services).principal };
}

/** Larger than the largest JSON request of these services (DynamoDB: 16 MB). */
const maxBodyBytes = 17 * 1024 * 1024;
