import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { UNSET_SECRET } from './environment.ts';

/** How long a value is kept in memory: a key that was just set or changed is in use within this time. */
const FRESH_MILLISECONDS = 60_000;

/**
 * Reads a secret, at most once a minute.
 * @returns a function that gives the secret's text without surrounding white space; empty when it was never set
 */
export function secretReader(
  client: Pick<SecretsManagerClient, 'send'>,
  arn: string,
  now: () => number,
): () => Promise<string> {
  let known: { text: string; at: number } | undefined;
  return async () => {
    if (!known || now() - known.at >= FRESH_MILLISECONDS) {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
      const text = SecretString.trim();
      known = { text: text === UNSET_SECRET ? '' : text, at: now() };
    }
    return known.text;
  };
}
