import type { Caller } from '../../shared/caller.ts';
import { ownerName } from '../../shared/environment.ts';
import { sha256Hex } from '../../video/keys.ts';
import type { SignerIdentity } from '../http/request.ts';

/** Kinds of principals that can sign a request, by their ARN's resource. A path before a user's name is no part of it. */
const resources = {
  /** `user/divisions/film/alice`: a name is unique in its account, whatever the path. */
  user: /^user\/(?:[^/]+\/)*([^/]+)$/,
  /** `assumed-role/Studio/session`: whoever takes a role chooses the session's name, so it is the role that owns. */
  role: /^assumed-role\/([^/]+)\/[^/]+$/,
  federated: /^federated-user\/([^/]+)$/,
} as const;

/**
 * Who signed a request, as API Gateway tells after it checked the signature (`auth: iam`): of `arn:aws:iam::123456789012:user/alice`
 * the owner is `123456789012.user.alice`, of any session of a role `123456789012.role.Studio`, of the account itself
 * `123456789012.root`. A name that can be no owner's becomes `123456789012.user-<hash>`, which no name can be written as.
 * @returns undefined for anything else, so that it is refused
 */
export function callerOfPrincipal({ userArn }: SignerIdentity): Caller | undefined {
  const [, account, resource] = /^arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):(.+)$/.exec(userArn ?? '') ?? [];
  if (!userArn || !account || !resource) return undefined;
  const owner = resource === 'root' ? `${account}.root` : ownerOfResource(account, resource);
  return owner === undefined ? undefined : { owner, key_id: sha256Hex(userArn).slice(0, 12) };
}

function ownerOfResource(account: string, resource: string): string | undefined {
  for (const [kind, pattern] of Object.entries(resources)) {
    const name = pattern.exec(resource)?.[1];
    if (name === undefined) continue;
    const owner = `${account}.${kind}.${name}`;
    return ownerName.safeParse(owner).success ? owner : `${account}.${kind}-${sha256Hex(name).slice(0, 40)}`;
  }
  return undefined;
}
