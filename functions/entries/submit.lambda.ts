import { createMetricRecorder } from '../shared/metrics.ts';
import { composeSubmit } from './api.ts';
import { dynamoDb, entry, eventBridge, s3, startExecutionClientConfig, stepFunctions } from './platform.ts';

export const handler = entry('submit', composeSubmit, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(startExecutionClientConfig),
  recordMetric: createMetricRecorder(),
});
