import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { probeWan } from '../../../functions/maintenance/canary.ts';
import { createWanClient } from '../../../functions/wan/client/client.ts';
import { judgeKey } from '../../../functions/wan/key.ts';
import { type Region, regionNames, regions } from '../../../functions/wan/regions.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

interface KeyServices {
  fetch: typeof globalThis.fetch;
  now: () => number;
}
interface KeyTarget {
  region: Region;
  wanBaseUrl: string;
}

/** Returns the value of the secret. */
export async function readWanKey(secrets: Pick<SecretsManagerClient, 'send'>, secret: string): Promise<string> {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: secret }));
  return SecretString.trim();
}

/** Checks the secret and its key. */
export async function checkWanKey(
  { secrets, ...services }: KeyServices & { secrets: Pick<SecretsManagerClient, 'send'> },
  { secret, ...target }: KeyTarget & { secret: string },
): Promise<Finding[]> {
  const judged = judgeKey(await readWanKey(secrets, secret));
  if (!judged.ok) {
    const command =
      'aws secretsmanager put-secret-value --secret-id <WanSecretArn> --secret-string file://wan-key.txt (the whole value is the key)';
    return [
      failure(
        `${judged.problem} Videos stay queued.`,
        judged.reason === 'no_key' ? command : `${judged.fix} ${command}`,
      ),
    ];
  }
  return checkKey(services, { ...target, key: judged.key });
}

/** Checks a key by listing the latest tasks, which is free of charge. A key is valid in one region only. @param key its text as given */
export async function checkKey(
  { fetch, now }: KeyServices,
  { key: text, region, wanBaseUrl }: KeyTarget & { key: string },
): Promise<Finding[]> {
  const judged = judgeKey(text);
  if (!judged.ok) return [failure(judged.problem, judged.fix)];
  const { key } = judged;
  const probe = (baseUrl: string) =>
    probeWan({ wan: createWanClient({ baseUrl, apiKey: async () => key, fetch }), now });
  const result = await probe(wanBaseUrl);
  switch (result.outcome) {
    case 'answered':
      return [ok(`Wan accepts the key (${new URL(wanBaseUrl).host}).`)];
    case 'throttled':
      return [warning('Wan throttles requests, so the key could not be checked.', 'Try again in a minute.')];
    case 'refused': {
      for (const other of regionNames.filter((name) => name !== region)) {
        const { base_url } = regions[other];
        if (base_url && (await probe(base_url)).outcome === 'answered') {
          return [
            failure(
              `The key belongs to ${other}, but this deployment uses ${region}.`,
              `Use a key of ${region}, or deploy with -c region=${other}.`,
            ),
          ];
        }
      }
      return [
        failure(
          `Wan rejects the key (${result.cause}).`,
          'Create a new key in Model Studio and store it in the secret. If the account is in arrears, pay the bill.',
        ),
      ];
    }
    case 'unreachable':
      return [
        failure(
          `Wan does not respond at ${new URL(wanBaseUrl).host} (${result.cause}).`,
          'Check wanBaseUrl and the network, and try again later.',
        ),
      ];
  }
}
