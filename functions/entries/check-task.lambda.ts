import { createMetricRecorder } from '../shared/metrics.ts';
import { dynamoDb, entry, eventBridge, s3, secrets, stepFunctions } from './platform.ts';
import { composeCheckTask } from './workflow.ts';

export const handler = entry('check-task', composeCheckTask, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(),
  secrets: secrets(),
  recordMetric: createMetricRecorder(),
});
