import { S3Error } from '../errors.ts';
import { type SignatureServices, signatureDoesNotMatch, unknownKey } from '../signature/authenticate.ts';
import { deriveSigningKey, parseAmzDate, parseCredential, sign } from '../signature/credential.ts';

/**
 * Checks the signature a form carries over its policy.
 * @returns the access key id and the policy, still in base64
 */
export function authenticateForm(
  fields: ReadonlyMap<string, string>,
  services: Pick<SignatureServices, 'secretOf'>,
): { access_key_id: string; policy: string } {
  const policy = fields.get('policy');
  const signature = fields.get('x-amz-signature');
  if (policy === undefined && signature === undefined) {
    throw new S3Error('AccessDenied', 'Access Denied: the form carries no policy, and nothing here is public.');
  }
  const credential = parseCredential(fields.get('x-amz-credential') ?? '');
  const date = parseAmzDate(fields.get('x-amz-date') ?? '');
  const signed = fields.get('x-amz-algorithm') === 'AWS4-HMAC-SHA256' && credential && date !== undefined;
  if (policy === undefined || signature === undefined || !signed) {
    throw new S3Error(
      'InvalidArgument',
      'The form needs the fields policy, x-amz-algorithm (AWS4-HMAC-SHA256), x-amz-credential, x-amz-date and x-amz-signature.',
    );
  }
  const secret = services.secretOf(credential.access_key_id);
  if (secret === undefined) throw unknownKey(credential);
  if (sign(deriveSigningKey(secret, credential), policy) !== signature) {
    throw signatureDoesNotMatch(credential, signature, policy);
  }
  return { access_key_id: credential.access_key_id, policy };
}
