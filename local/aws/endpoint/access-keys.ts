import { createHash } from 'node:crypto';
import { developerAccessKey } from '../account.ts';

/** Credentials and their principal. */
export interface AccessKey {
  access_key_id: string;
  secret_access_key: string;
  /** The ARN of a role, or `local` for the developer's key. */
  principal: string;
}

/** Derives the access key of a role from its ARN, so that a presigned URL stays valid after a restart. */
export function roleAccessKey(roleArn: string): AccessKey {
  const digest = (purpose: string) => createHash('sha256').update(`${purpose} ${roleArn}`).digest('hex');
  return {
    access_key_id: `LOCAL${digest('key').slice(0, 15).toUpperCase()}`,
    secret_access_key: digest('secret'),
    principal: roleArn,
  };
}

/** Returns a lookup by key id over the given keys and the developer's. */
export function createKeyring(keys: readonly AccessKey[]): (accessKeyId: string) => AccessKey | undefined {
  const byId = new Map([{ ...developerAccessKey, principal: 'local' }, ...keys].map((key) => [key.access_key_id, key]));
  return (accessKeyId) => byId.get(accessKeyId);
}
