import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { byRoute } from '../api/http/handler.ts';
import {
  createWebhookSecret,
  getDeliveries,
  ownWebhook,
  redeliverEvent,
  sendTestEvent,
  type WebhookRouteServices,
} from '../api/videos/webhook.ts';
import { type DeliverServices, deliverMessage, type WebhookServices } from '../events/deliver.ts';
import { type DeliveryMessage, enqueue } from '../events/deliveries.ts';
import type { Environment } from '../shared/environment.ts';
import { describeError, inContext } from '../shared/logging.ts';
import { secretReader } from '../shared/secret.ts';
import type { Table } from '../video/table.ts';
import type { Platform } from './platform.ts';
import { createApiHandler, openTable } from './services.ts';

/** Returns the services of sending webhooks. */
export const webhookServices = (
  { WEBHOOK_SECRET_ARN, LOOPBACK_WEBHOOKS }: Pick<Environment<'deliver'>, 'WEBHOOK_SECRET_ARN' | 'LOOPBACK_WEBHOOKS'>,
  { secrets, clock, sendWebhook }: Pick<Platform, 'secrets' | 'clock' | 'sendWebhook'>,
  table: Table,
): WebhookServices => ({
  table,
  master: secretReader(secrets, WEBHOOK_SECRET_ARN, clock.now),
  send: sendWebhook,
  loopback: LOOPBACK_WEBHOOKS,
});

/** Delivers webhooks. All messages of a batch are handled concurrently; those that could not be handled are received again. */
export function composeDeliver(
  environment: Environment<'deliver'>,
  platform: Platform<'dynamoDb' | 'sqs' | 'secrets' | 'recordMetric' | 'sendWebhook'>,
) {
  const { sqs, random, recordMetric, logger } = platform;
  const services: DeliverServices = {
    ...webhookServices(environment, platform, openTable(environment, platform)),
    sqs,
    slowQueueUrl: environment.SLOW_WEBHOOK_QUEUE_URL,
    random,
    recordMetric,
  };
  return inContext(logger, async ({ Records }: SQSEvent): Promise<SQSBatchResponse> => {
    const failures = await Promise.all(
      Records.map(async ({ messageId, body }) => {
        let ids = {};
        try {
          const message = JSON.parse(body) as DeliveryMessage;
          ids = { video_id: message.detail.id, sequence: message.detail.sequence };
          logger.info(messages[await deliverMessage(services, message)], ids);
          return [];
        } catch (error) {
          logger.error('Could not handle a delivery; will retry', { ...describeError(error), ...ids });
          return [{ itemIdentifier: messageId }];
        }
      }),
    );
    return { batchItemFailures: failures.flat() };
  });
}

const messages = {
  ignored: 'Ignored a message: its delivery has ended or is handled elsewhere',
  moved: 'Moved a delivery to the slow queue',
  postponed: 'Postponed a delivery: its receiver is paused',
  delivered: 'Delivered a webhook',
  retried: 'Delivery failed; will retry',
  failed: 'Delivery failed for the last time',
  dropped: 'Dropped a delivery: a newer event was delivered or the webhook ended',
} as const;

/** The routes of owners' webhooks and of deliveries. */
export function composeWebhooks(
  environment: Environment<'webhooks'>,
  platform: Platform<'dynamoDb' | 'sqs' | 'secrets' | 'sendWebhook'>,
) {
  const table = openTable(environment, platform);
  const services: WebhookRouteServices = {
    ...webhookServices(environment, platform, table),
    enqueue: (delivery) => enqueue(platform.sqs, environment.WEBHOOK_QUEUE_URL, [delivery]),
  };
  const routes = {
    '/webhook': ownWebhook,
    '/webhook/secret': createWebhookSecret,
    '/webhook/test': sendTestEvent,
    '/videos/{id}/deliveries': getDeliveries,
    '/videos/{id}/deliveries/{sequence}/redeliver': redeliverEvent,
  };
  return createApiHandler(environment, platform, table, byRoute(services, routes));
}
