import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { probeWan } from '../../../functions/maintenance/canary.ts';
import { UNSET_SECRET } from '../../../functions/shared/environment.ts';
import { createWanClient } from '../../../functions/wan/client/client.ts';
import { type Region, regionNames, regions } from '../../../functions/wan/regions.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

/** The secret, and what Wan says of the key in it: a question for the latest tasks, which costs nothing. */
export async function checkWanKey(
  {
    secrets,
    fetch,
    now,
  }: { secrets: Pick<SecretsManagerClient, 'send'>; fetch: typeof globalThis.fetch; now: () => number },
  { secret, region, wanBaseUrl }: { secret: string; region: Region; wanBaseUrl: string },
): Promise<Finding[]> {
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId: secret }));
  const key = SecretString.trim();
  if (key === '' || key === UNSET_SECRET) {
    return [
      failure(
        "Wan's key is not set: videos wait in their queue.",
        'aws secretsmanager put-secret-value --secret-id <WanSecretArn> --secret-string file://wan-key.txt (the whole value is the key)',
      ),
    ];
  }
  if (/^[{"]/.test(key)) {
    return [failure("Wan's secret holds JSON.", 'Put the key alone into it, without quotes or braces.')];
  }
  const ask = (baseUrl: string) => probeWan({ wan: createWanClient({ baseUrl, apiKey: async () => key, fetch }), now });
  const answer = await ask(wanBaseUrl);
  switch (answer.outcome) {
    case 'answered':
      return [ok(`Wan takes the key (${new URL(wanBaseUrl).host}).`)];
    case 'throttled':
      return [warning('Wan is throttling at the moment, so its word on the key is missing.', 'Ask again in a minute.')];
    case 'refused': {
      for (const other of regionNames.filter((name) => name !== region)) {
        if ((await ask(regions[other].base_url)).outcome === 'answered') {
          return [
            failure(
              `The key is of ${other}; this deployment speaks with ${region}.`,
              `Use a key of ${region}, or deploy with -c region=${other}.`,
            ),
          ];
        }
      }
      return [
        failure(
          `Wan refuses the key (${answer.cause}).`,
          'Make a new key in Model Studio and put it into the secret; see to the bill if the account is in arrears.',
        ),
      ];
    }
    case 'unreachable':
      return [
        failure(
          `Wan does not answer at ${new URL(wanBaseUrl).host} (${answer.cause}).`,
          'Try again later; check wanBaseUrl, and that this machine reaches it.',
        ),
      ];
  }
}
