import { createMetricRecorder } from '../shared/metrics.ts';
import { composeSweep } from './maintenance.ts';
import { dynamoDb, entry, s3, sqs, stepFunctions } from './platform.ts';

export const handler = entry('sweep', composeSweep, {
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(),
  sqs: sqs(),
  recordMetric: createMetricRecorder(),
});
