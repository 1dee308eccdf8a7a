import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../service-error.ts';
import { canonicalPath, readHeaders, sha256Hex } from '../signature/canonical.ts';
import { SignatureError, type SignatureFault, verifySignature } from '../signature/verify.ts';
import type { AccessKey } from './access-keys.ts';

export interface CallerServices {
  now: () => number;
  accessKey(accessKeyId: string): AccessKey | undefined;
}

/** The services' own names for what is wrong; anything else is an `InvalidSignatureException`. */
const names: Partial<Record<SignatureFault, string>> = {
  missing: 'MissingAuthenticationTokenException',
  mechanism: 'MissingAuthenticationTokenException',
  malformed_header: 'MissingAuthenticationTokenException',
  unknown_key: 'UnrecognizedClientException',
};

/**
 * Checks who signed a call to any service but S3, and gives their key.
 * @param service for which it must be signed. @default any
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
    // A plus is itself here, not a space.
    parameters: [...new URLSearchParams(query.replaceAll('+', '%2B'))],
    headers: request.headers,
    payload: sha256Hex(body),
  };
  const rules = { service, clock_skew_minutes: 5, mustBeSigned: (header: string) => header === 'host' };
  try {
    const services = { now, secretOf: (id: string) => accessKey(id)?.secret_access_key };
    return accessKey(verifySignature(signed, services, rules).access_key_id)!;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ServiceError(names[error.fault] ?? 'InvalidSignatureException', 400, error.message);
  }
}

/** Reads a call whole and checks who signed it. @throws ServiceError */
export async function readCall(
  request: IncomingMessage,
  services: CallerServices,
): Promise<{ body: Buffer; principal: string }> {
  const body = await readBody(request);
  const { method = '', url = '/', rawHeaders } = request;
  return { body, principal: verifyCaller({ method, url, headers: readHeaders(rawHeaders) }, body, services).principal };
}

/** More than any service here takes in one JSON call (DynamoDB: 16 MB). */
const largestBytes = 17 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= largestBytes) chunks.push(chunk);
  }
  if (bytes > largestBytes)
    throw new ServiceError('RequestEntityTooLargeException', 413, 'The request is larger than 17 MiB.');
  return Buffer.concat(chunks, bytes);
}
