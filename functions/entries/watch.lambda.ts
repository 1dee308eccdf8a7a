import { createMetricRecorder } from '../shared/metrics.ts';
import { dynamoDb, entry, secrets, stepFunctions } from './platform.ts';
import { composeWatch } from './workflow.ts';

export const handler = entry('watch', composeWatch, {
  dynamoDb: dynamoDb(),
  stepFunctions: stepFunctions(),
  secrets: secrets(),
  recordMetric: createMetricRecorder(),
});
