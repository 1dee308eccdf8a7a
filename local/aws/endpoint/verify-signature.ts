import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../service-error.ts';
import type { AccessKey } from './access-keys.ts';
import { canonicalPath, canonicalQuery } from './canonical-target.ts';

export interface SignatureServices {
  now: () => number;
  accessKey(accessKeyId: string): AccessKey | undefined;
}

const clockSkewMilliseconds = 5 * 60 * 1000;

/**
 * Checks the Signature Version 4 in the `Authorization` header of a call, and gives the key that signed it. S3, which signs in ways
 * of its own, has its own.
 * @param service for which it must be signed. @default any
 * @throws ServiceError with the services' own names
 */
export function verifySignature(
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
  { now, accessKey }: SignatureServices,
  service?: string,
): AccessKey {
  const { authorization = '', 'x-amz-date': date = '' } = request.headers;
  const claim =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8}\/[^/,]+\/([^/,]+)\/aws4_request),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (!claim)
    throw new ServiceError(
      'MissingAuthenticationTokenException',
      400,
      'The request is not signed with Signature Version 4.',
    );
  const [, accessKeyId = '', scope = '', signedFor, signedHeaders = '', signature = ''] = claim;
  const key = accessKey(accessKeyId);
  if (!key)
    throw new ServiceError(
      'UnrecognizedClientException',
      400,
      'The security token included in the request is invalid.',
    );
  const time = String(date);
  if (Math.abs(readTime(time) - now()) > clockSkewMilliseconds || !scope.startsWith(time.slice(0, 8)))
    throw new ServiceError('InvalidSignatureException', 400, `Signature expired or not yet valid: ${time}`);
  if (service !== undefined && signedFor !== service)
    throw new ServiceError('InvalidSignatureException', 400, `Credential should be scoped to the service ${service}.`);
  const signedNames = signedHeaders.split(';');
  if (!signedNames.includes('host'))
    throw new ServiceError('InvalidSignatureException', 400, 'The header host must be among those that are signed.');

  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const canonicalRequest = [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    ...signedNames.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replaceAll(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders,
    sha256(body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonicalRequest)].join('\n');
  const signingKey = scope
    .split('/')
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${key.secret_access_key}`);
  if (!timingSafeEqual(hmac(signingKey, text), Buffer.from(signature, 'hex')))
    throw new ServiceError(
      'InvalidSignatureException',
      400,
      'The request signature we calculated does not match the signature you provided.',
    );
  return key;
}

function readTime(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5')) || 0;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
