import { createMetricRecorder } from '../shared/metrics.ts';
import { dynamoDb, entry, eventBridge, s3, stepFunctions } from './platform.ts';
import { composeRecordFailure } from './workflow.ts';

export const handler = entry('record-failure', composeRecordFailure, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(),
  recordMetric: createMetricRecorder(),
});
