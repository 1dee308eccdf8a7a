import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type CanaryServices, canary, isFailure } from '../maintenance/canary.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { secretReader } from '../shared/secret.ts';
import { createWanClient } from '../wan/client/client.ts';

const environment = readEnvironment('canary');
const logger = createLogger('canary');
const apiKey = secretReader(new SecretsManagerClient({}), environment.WAN_SECRET_ARN, Date.now);

const services: CanaryServices = {
  wan: createWanClient({ baseUrl: environment.WAN_BASE_URL, apiKey, fetch }),
  apiKey,
  measure: createMeasure(),
  now: Date.now,
};

export const handler = inContext(logger, async () => {
  const report = await canary(services);
  if (isFailure(report)) logger.warn('Wan does not serve this account.', { ...report });
  else logger.info('Wan was looked at.', { ...report });
});
