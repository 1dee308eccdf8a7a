import { createMetricRecorder } from '../shared/metrics.ts';
import { dynamoDb, entry, eventBridge, s3, secrets } from './platform.ts';
import { composeArchiveVideo } from './workflow.ts';

export const handler = entry('archive-video', composeArchiveVideo, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  s3: s3(),
  secrets: secrets(),
  recordMetric: createMetricRecorder(),
});
