import { sendWebhook } from '../events/webhook-request.ts';
import { createMetricRecorder } from '../shared/metrics.ts';
import { dynamoDb, entry, secrets, sqs } from './platform.ts';
import { composeDeliver } from './webhooks.ts';

export const handler = entry('deliver', composeDeliver, {
  dynamoDb: dynamoDb(),
  sqs: sqs(),
  secrets: secrets(),
  recordMetric: createMetricRecorder(),
  sendWebhook,
});
