import { createMetricRecorder } from '../shared/metrics.ts';
import { composeDrop } from './drops.ts';
import { dynamoDb, entry, eventBridge, ledgerClientConfig, s3, sqs, stepFunctions } from './platform.ts';

export const handler = entry('drop', composeDrop, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(ledgerClientConfig),
  s3: s3(),
  stepFunctions: stepFunctions(),
  sqs: sqs(),
  recordMetric: createMetricRecorder(),
});
