import { createMetricRecorder } from '../shared/metrics.ts';
import { composeDrop } from './drops.ts';
import { dynamoDb, entry, ledgerClientConfig, s3, sqs, stepFunctions } from './platform.ts';

export const handler = entry('drop', composeDrop, {
  dynamoDb: dynamoDb(ledgerClientConfig),
  s3: s3(),
  stepFunctions: stepFunctions(),
  sqs: sqs(),
  recordMetric: createMetricRecorder(),
});
