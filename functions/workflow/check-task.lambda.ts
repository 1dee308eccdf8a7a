import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';
import { typicalSeconds } from '../video/typical-seconds.ts';
import { type CheckTaskServices, checkTask } from './check-task.ts';
import { allPermits, dispatcherOf } from './dispatcher.ts';
import type { WorkflowInput } from './payload.ts';
import { wanClientOf } from './wan-client.ts';

const environment = readEnvironment('check-task');
const logger = createLogger('check-task');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);

const services: CheckTaskServices = {
  ...dispatcherOf(environment, table, new SFNClient({})),
  wan: wanClientOf(environment, new SecretsManagerClient({})),
  typicalSeconds: (video) => typicalSeconds(video, environment.TYPICAL_SECONDS),
  permits: allPermits(environment.LANE_LIMITS),
};

export async function handler(input: WorkflowInput) {
  const output = await checkTask(services, input);
  logger.info('A task was looked at.', { video_id: input.id, run: input.run, outcome: output.outcome });
  return output;
}
