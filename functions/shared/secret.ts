import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { UNSET_SECRET } from './environment.ts';

/** How long a value is cached. Each read costs as much as eight writes to the table. */
const FRESH_MILLISECONDS = 5 * 60_000;

/** Returns the trimmed secret; empty when it was never set. */
export interface SecretReader {
  (): Promise<string>;
  /** Drops the cached value: the secret may have been replaced. */
  forget(): void;
}

/** Creates a reader of a secret, which is cached for five minutes or until `forget` is called. */
export function secretReader(client: Pick<SecretsManagerClient, 'send'>, arn: string, now: () => number): SecretReader {
  let cached: { text: string; at: number } | undefined;
  const read = async () => {
    if (!cached || now() - cached.at >= FRESH_MILLISECONDS) {
      const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
      const text = SecretString.trim();
      cached = { text: text === UNSET_SECRET ? '' : text, at: now() };
    }
    return cached.text;
  };
  return Object.assign(read, {
    forget: () => {
      cached = undefined;
    },
  });
}
