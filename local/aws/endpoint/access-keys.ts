import { createHash } from 'node:crypto';
import { personalAccessKey } from '../account.ts';

/** A pair of credentials, and whose they are. */
export interface AccessKey {
  access_key_id: string;
  secret_access_key: string;
  /** The ARN of a role, or `local` for a person's key. */
  principal: string;
}

/** The access key of a role on this machine: always the same, so that a presigned URL outlives a restart. */
export function roleAccessKey(roleArn: string): AccessKey {
  const digest = (purpose: string) => createHash('sha256').update(`${purpose} ${roleArn}`).digest('hex');
  return {
    access_key_id: `LOCAL${digest('key').slice(0, 15).toUpperCase()}`,
    secret_access_key: digest('secret'),
    principal: roleArn,
  };
}

/** The key with an id, among those of the roles and a person's `local`. */
export function accessKeyring(keys: readonly AccessKey[]): (accessKeyId: string) => AccessKey | undefined {
  const byId = new Map([{ ...personalAccessKey, principal: 'local' }, ...keys].map((key) => [key.access_key_id, key]));
  return (accessKeyId) => byId.get(accessKeyId);
}
