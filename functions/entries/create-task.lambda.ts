import { createMetricRecorder } from '../shared/metrics.ts';
import { dynamoDb, entry, eventBridge, lambda, ledgerClientConfig, s3, secrets, stepFunctions } from './platform.ts';
import { composeCreateTask } from './workflow.ts';

export const handler = entry('create-task', composeCreateTask, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(ledgerClientConfig),
  s3: s3(),
  stepFunctions: stepFunctions(),
  lambda: lambda(),
  secrets: secrets(),
  recordMetric: createMetricRecorder(),
});
