import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { UNSET_SECRET } from './environment.ts';

/** How long a value is cached. A changed key takes effect within this time. */
const FRESH_MILLISECONDS = 60_000;

/**
 * Creates a reader of a secret, which is cached for a minute.
 * @returns a function that returns the trimmed secret; empty when it was never set
 */
export function secretReader(
  client: Pick<SecretsManagerClient, 'send'>,
  arn: string,
  now: () => number,
): () => Promise<string> {
  let cached: { text: string; at: number } | undefined;
  return async () => {
    if (!cached || now() - cached.at >= FRESH_MILLISECONDS) {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
      const text = SecretString.trim();
      cached = { text: text === UNSET_SECRET ? '' : text, at: now() };
    }
    return cached.text;
  };
}
