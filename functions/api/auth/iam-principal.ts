import type { Caller } from '../../shared/caller.ts';
import { ownerName } from '../../shared/environment.ts';
import { sha256Hex } from '../../video/keys.ts';
import type { SignerIdentity } from '../http/request.ts';

/** Kinds of principals that can sign a request, by the resource part of their ARN. A user's name does not include its path. */
const resources = {
  /** `user/divisions/film/alice`: a user's name is unique in its account, under any path. */
  user: /^user\/(?:[^/]+\/)*([^/]+)$/,
  /** `assumed-role/Studio/session`: the caller chooses the session's name, so the role is the owner. */
  role: /^assumed-role\/([^/]+)\/[^/]+$/,
  federated: /^federated-user\/([^/]+)$/,
} as const;

/**
 * The caller of a signed request, from the principal that API Gateway reports after checking the signature (`auth: iam`). The owner of
 * `arn:aws:iam::123456789012:user/alice` is `123456789012.user.alice`, of any session of a role `123456789012.role.Studio`, of the
 * account itself `123456789012.root`. A name that is no valid owner name becomes `123456789012.user-<hash>`, which no real name equals.
 * @returns undefined for any other principal, which is then refused
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
