import { sendWebhook } from '../events/webhook-request.ts';
import { dynamoDb, entry, secrets, sqs } from './platform.ts';
import { composeWebhooks } from './webhooks.ts';

export const handler = entry('webhooks', composeWebhooks, {
  dynamoDb: dynamoDb(),
  sqs: sqs(),
  secrets: secrets(),
  sendWebhook,
});
