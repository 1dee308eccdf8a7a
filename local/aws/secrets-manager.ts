import { randomUUID } from 'node:crypto';
import { ServiceError } from './service-error.ts';

/** Secrets Manager's GetSecretValue. @throws ServiceError */
export type GetSecretValue = (input: Record<string, unknown>) => Promise<object>;

/** Serves the template's secrets by ARN or name. The values live in memory only, so a real key is never written to disk. */
export function serveSecrets(
  secrets: readonly { arn: string; name: string; value: string }[],
  now: () => number,
): GetSecretValue {
  const version = { VersionId: randomUUID(), VersionStages: ['AWSCURRENT'], CreatedDate: now() / 1000 };
  return async ({ SecretId, ...others }) => {
    const [unsupported] = Object.keys(others);
    if (unsupported !== undefined)
      throw new ServiceError('InvalidParameterException', `The local Secrets Manager does not support ${unsupported}.`);
    const secret = secrets.find(({ arn, name }) => SecretId === arn || SecretId === name);
    if (!secret)
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return { ARN: secret.arn, Name: secret.name, SecretString: secret.value, ...version };
  };
}
