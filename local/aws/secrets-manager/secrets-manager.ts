import { randomUUID } from 'node:crypto';
import { ServiceError } from '../service-error.ts';

export interface SecretsManagerOptions {
  now: () => number;
  secrets: readonly { arn: string; name: string; value: string }[];
}

export interface SecretsManager {
  /** GetSecretValue, by ARN or name. @throws ServiceError */
  getSecretValue(input: Record<string, unknown>): Promise<object>;
}

/**
 * Secrets Manager for the template's secrets. Values live in memory only: each start takes them from the settings anew, so
 * that a real key is never written to disk.
 */
export function createSecretsManager({ now, secrets }: SecretsManagerOptions): SecretsManager {
  const version = { VersionId: randomUUID(), VersionStages: ['AWSCURRENT'], CreatedDate: now() / 1000 };
  return {
    async getSecretValue({ SecretId, ...others }) {
      const [unknown] = Object.keys(others);
      if (unknown !== undefined)
        throw new ServiceError('InvalidParameterException', 400, `The local Secrets Manager has no ${unknown}.`);
      const secret = secrets.find(({ arn, name }) => SecretId === arn || SecretId === name);
      if (!secret)
        throw new ServiceError('ResourceNotFoundException', 400, "Secrets Manager can't find the specified secret.");
      return { ARN: secret.arn, Name: secret.name, SecretString: secret.value, ...version };
    },
  };
}
