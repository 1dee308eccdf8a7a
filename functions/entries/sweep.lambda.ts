import { createMetricRecorder } from '../shared/metrics.ts';
import { composeSweep } from './maintenance.ts';
import { dynamoDb, entry, eventBridge, s3, sqs, stepFunctions } from './platform.ts';

export const handler = entry('sweep', composeSweep, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(),
  sqs: sqs(),
  recordMetric: createMetricRecorder(),
});
