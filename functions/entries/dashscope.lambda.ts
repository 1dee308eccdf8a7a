import { createMetricRecorder } from '../shared/metrics.ts';
import { composeDashscope } from './api.ts';
import { dynamoDb, entry, eventBridge, s3, secrets, startExecutionClientConfig, stepFunctions } from './platform.ts';

export const handler = entry('dashscope', composeDashscope, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(startExecutionClientConfig),
  secrets: secrets(),
  recordMetric: createMetricRecorder(),
});
