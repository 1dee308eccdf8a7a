import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../service-error.ts';
import { canonicalPath, sha256Hex } from '../signature/canonical.ts';
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
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
  { now, accessKey }: CallerServices,
  service?: string,
): AccessKey {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const signed = {
    method: request.method ?? '',
    path: canonicalPath(path),
    // A plus is itself here, not a space.
    parameters: [...new URLSearchParams(query.replaceAll('+', '%2B'))],
    headers: new Map(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    payload: sha256Hex(body),
  };
  const rules = { service, clock_skew_minutes: 5, mustBeSigned: (header: string) => header === 'host' };
  try {
    const services = { now, secretOf: (id: string) => accessKey(id)?.secret_access_key };
    return accessKey(verifySignature(signed, services, rules).credential.access_key_id)!;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ServiceError(names[error.fault] ?? 'InvalidSignatureException', 400, error.message);
  }
}
