import { roleAccessKey } from '../../local/aws/endpoint/access-keys.ts';
import { type Endpoint, openEndpoint, sharedStack } from '../support/endpoint.ts';

export interface FuzzTarget {
  api: Endpoint;
  /** Texts that no response may contain. */
  secrets: readonly string[];
}

/** Opens the API of `E2E_BASE_URL`, or the local stack, whose secrets are known. */
export async function openTarget(): Promise<FuzzTarget> {
  const api = await openEndpoint();
  if (process.env.E2E_BASE_URL) return { api, secrets: [] };
  const stack = await sharedStack();
  const roles = stack.runtime.stack.all('AWS::IAM::Role').map((role) => roleAccessKey(role.attribute('Arn')));
  return {
    api,
    secrets: ['sk-local', new URL(stack.wan_url!).host, ...roles.map(({ secret_access_key }) => secret_access_key)],
  };
}
