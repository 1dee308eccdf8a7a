import { roleAccessKey } from '../../local/aws/endpoint/access-keys.ts';
import { type Endpoint, openEndpoint, openLocal } from '../support/endpoint.ts';

export interface FuzzTarget {
  api: Endpoint;
  /** Texts that must be in no answer. */
  secrets: readonly string[];
}

/** What `E2E_BASE_URL` names; or a local stack that turns nobody away, whose secrets are known. */
export async function openTarget(): Promise<FuzzTarget> {
  if (process.env.E2E_BASE_URL) return { api: await openEndpoint(), secrets: [] };
  const { endpoint, stack } = await openLocal({ apiThrottle: { rate: 10_000, burst: 5000 } });
  const roles = stack.runtime.stack.all('AWS::IAM::Role').map((role) => roleAccessKey(role.attribute('Arn')));
  return {
    api: endpoint,
    secrets: ['sk-local', new URL(stack.wan_url!).host, ...roles.map(({ secret_access_key }) => secret_access_key)],
  };
}
