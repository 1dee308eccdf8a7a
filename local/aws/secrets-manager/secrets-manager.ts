import { randomUUID } from 'node:crypto';
import { ServiceError } from '../service-error.ts';

export interface SecretsManagerOptions {
  now: () => number;
  secrets: readonly { arn: string; name: string; value: string }[];
}

export interface SecretsManager {
  /** Answers one request of the service's JSON protocol. @throws ServiceError */
  handle(operation: string, input: unknown): Promise<unknown>;
}

interface Secret {
  arn: string;
  name: string;
  value: string;
  version_id: string;
  /** Seconds since 1970. */
  created: number;
}

/**
 * Secrets Manager for the template's secrets. Values live in memory only: each start takes them from the settings anew, so
 * that a real key is never written to disk.
 */
export function createSecretsManager({ now, secrets }: SecretsManagerOptions): SecretsManager {
  const version = () => ({ version_id: randomUUID(), created: now() / 1000 });
  const known: Secret[] = secrets.map((secret) => ({ ...secret, ...version() }));
  const find = (id: unknown): Secret => {
    const secret = known.find(({ arn, name }) => id === arn || id === name);
    if (secret) return secret;
    throw new ServiceError('ResourceNotFoundException', 400, "Secrets Manager can't find the specified secret.");
  };
  const operations: Record<string, (input: Record<string, unknown>) => object> = {
    GetSecretValue({ SecretId, VersionId, VersionStage = 'AWSCURRENT' }) {
      const secret = find(SecretId);
      if (VersionStage !== 'AWSCURRENT' || (VersionId !== undefined && VersionId !== secret.version_id))
        throw new ServiceError(
          'ResourceNotFoundException',
          400,
          "Secrets Manager can't find the specified secret value: only the current one is kept.",
        );
      return {
        ARN: secret.arn,
        Name: secret.name,
        SecretString: secret.value,
        VersionId: secret.version_id,
        VersionStages: ['AWSCURRENT'],
        CreatedDate: secret.created,
      };
    },
    DescribeSecret({ SecretId }) {
      const { arn, name, version_id, created } = find(SecretId);
      return { ARN: arn, Name: name, VersionIdsToStages: { [version_id]: ['AWSCURRENT'] }, LastChangedDate: created };
    },
    PutSecretValue({ SecretId, SecretString }) {
      const secret = find(SecretId);
      if (typeof SecretString !== 'string')
        throw new ServiceError('InvalidParameterException', 400, 'SecretString must be text.');
      Object.assign(secret, { value: SecretString, ...version() });
      return { ARN: secret.arn, Name: secret.name, VersionId: secret.version_id, VersionStages: ['AWSCURRENT'] };
    },
  };
  return {
    async handle(operation, input) {
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (!run)
        throw new ServiceError('UnknownOperationException', 400, `The local Secrets Manager has no ${operation}.`);
      return run(input as Record<string, unknown>);
    },
  };
}
