import * as z from 'zod';
import { subscriptionFields, webhookEvents } from '../../wan/validation/webhook.ts';
import type { DeliveryView, WebhookView } from '../videos/webhook.ts';
import { jsonResponse, type Parameter, ref, type Schemas } from './operation.ts';
import { videoIdInPath } from './parameters.ts';
import { nativeOperations } from './problems.ts';
import { time } from './video-schema.ts';

const host = z.string().meta({ description: 'Host and port of the URL, which is not shown.' });
const secret = z.string().meta({
  pattern: '^whsec_[A-Za-z0-9+/]+=*$',
  description: 'Signs the webhooks (Standard Webhooks). Shown only once.',
});
const milliseconds = z.int().min(0).meta({ description: 'How long the receiver took.' });
const status = z.int().min(100).max(599).meta({ description: 'The status of the answer.' });
const error = z.string().meta({ description: 'Why the attempt failed.' });

export const webhookSchema = z.strictObject({
  host,
  events: z.enum(webhookEvents),
  state: z
    .enum(['active', 'ended'])
    .meta({ description: '`ended`: the receiver answered 410. `PUT /webhook` starts it again.' }),
  ended_at: time.optional(),
  secret_version: z.int().min(1),
  previous_secret_valid_until: time.optional().meta({
    description: 'Until then events are also signed with the previous secret.',
  }),
  secret: secret.optional().meta({ description: 'The first secret. Only in the response that creates it.' }),
});

const webhookSecretSchema = z.strictObject({
  secret,
  version: z.int().min(1),
  previous_valid_until: time
    .optional()
    .meta({ description: 'Until then events are also signed with the previous secret.' }),
});

const testResultSchema = z.strictObject({
  host,
  delivered: z.boolean().meta({ description: 'Whether the receiver answered with a status from 200 to 299.' }),
  status: status.optional(),
  error: error.optional(),
  milliseconds,
});

export const deliverySchema = z.strictObject({
  sequence: z.int().min(1).meta({ description: 'The number of the event in its video.' }),
  type: z.string().meta({ examples: ['video.succeeded'] }),
  host,
  state: z.enum(['pending', 'delivered', 'failed', 'dropped']).meta({
    description:
      '`failed`: given up after 24 hours, or answered with 410. `dropped`: a newer event was delivered before, or the webhook ended.',
  }),
  attempts: z.int().min(0).meta({ description: 'Attempts since the event, or since it was last sent again.' }),
  created_at: time,
  next_at: time.optional().meta({ description: 'When a pending delivery is tried again at the latest.' }),
  deliver_until: time.optional().meta({ description: 'When a pending delivery is given up.' }),
  last_attempts: z
    .array(z.strictObject({ at: time, status: status.optional(), error: error.optional(), milliseconds }))
    .max(10),
});

export const schemas: Schemas = {
  requests: { WebhookRequest: z.strictObject(subscriptionFields) },
  responses: {
    Webhook: webhookSchema,
    WebhookSecret: webhookSecretSchema,
    WebhookTest: testResultSchema,
    Delivery: deliverySchema,
    Deliveries: z.strictObject({ data: z.array(deliverySchema).meta({ description: 'Oldest event first.' }) }),
  },
};

const hook: WebhookView = { host: 'example.com', events: 'endings', state: 'active', secret_version: 1 };
const exampleSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwZrs7wK0dGdY=';
const delivery: DeliveryView = {
  sequence: 5,
  type: 'video.succeeded',
  host: 'example.com',
  state: 'delivered',
  attempts: 2,
  created_at: '2026-01-31T12:01:41.400Z',
  last_attempts: [
    { at: '2026-01-31T12:01:41.900Z', status: 503, error: 'The receiver answered with status 503.', milliseconds: 120 },
    { at: '2026-01-31T12:03:00.200Z', status: 204, milliseconds: 87 },
  ],
};
const again: DeliveryView = {
  ...delivery,
  state: 'pending',
  attempts: 0,
  next_at: '2026-01-31T13:05:00.000Z',
  deliver_until: '2026-02-01T13:00:00.000Z',
};

const sequenceInPath: Parameter = {
  name: 'sequence',
  in: 'path',
  required: true,
  description: 'The number of the event in its video.',
  schema: { type: 'integer', minimum: 1 },
  example: 5,
};

export const operations = nativeOperations('Webhooks', [
  {
    method: 'put',
    path: '/webhook',
    id: 'putWebhook',
    summary: 'Set your webhook',
    description:
      'It gets the events of all your videos from now on, except of those whose request names a webhook of its own. The first response ever also has the secret that verifies them; `POST /webhook/secret` makes another one.',
    body: {
      content: {
        schema: ref('WebhookRequest'),
        examples: {
          endings: { summary: 'When a video has ended', value: { url: 'https://example.com/hooks/videos' } },
          all: { summary: 'Every change', value: { url: 'https://example.com/hooks/videos', events: 'all' } },
        },
      },
    },
    responses: {
      200: jsonResponse('The webhook.', ref('Webhook'), {
        first: { summary: 'The first one', value: { ...hook, secret: exampleSecret } },
        changed: { summary: 'A changed one', value: { ...hook, events: 'all' } },
      }),
    },
    problems: ['invalid_json', 'invalid_request'],
  },
  {
    method: 'get',
    path: '/webhook',
    id: 'getWebhook',
    summary: 'Get your webhook',
    description: 'Shows the host of its URL only: a path may be a secret of the receiver.',
    responses: { 200: jsonResponse('The webhook.', ref('Webhook'), { active: { summary: 'Active', value: hook } }) },
    problems: ['webhook_not_found'],
  },
  {
    method: 'delete',
    path: '/webhook',
    id: 'deleteWebhook',
    summary: 'Delete your webhook',
    description: 'Idempotent. Pending deliveries are dropped. The secret stays.',
    responses: { 204: { description: 'There is no webhook.' } },
  },
  {
    method: 'post',
    path: '/webhook/secret',
    id: 'createWebhookSecret',
    summary: 'Create a new secret',
    description:
      'Also without a webhook, for those of single requests and drops. For 24 hours events are signed with the previous secret too, so that receivers can be changed meanwhile.',
    responses: {
      201: jsonResponse('The secret.', ref('WebhookSecret'), {
        rotated: {
          summary: 'The second one',
          value: { secret: exampleSecret, version: 2, previous_valid_until: '2026-02-01T12:00:00.000Z' },
        },
      }),
    },
  },
  {
    method: 'post',
    path: '/webhook/test',
    id: 'testWebhook',
    summary: 'Send a test event to your webhook',
    description: 'Sends an event of the type `webhook.test` once, immediately, and returns how the receiver answered.',
    responses: {
      200: jsonResponse('The outcome, also if it is an error of the receiver.', ref('WebhookTest'), {
        delivered: {
          summary: 'Delivered',
          value: { host: 'example.com', delivered: true, status: 204, milliseconds: 87 },
        },
        refused: {
          summary: 'Not delivered',
          value: {
            host: 'example.com',
            delivered: false,
            error: 'The receiver refused the connection.',
            milliseconds: 12,
          },
        },
      }),
    },
    problems: ['webhook_not_found'],
  },
  {
    method: 'get',
    path: '/videos/{id}/deliveries',
    id: 'listDeliveries',
    summary: 'List the deliveries of a video',
    description: 'Each event that a webhook gets, with its last 10 attempts. Kept for 30 days.',
    parameters: [videoIdInPath],
    responses: {
      200: jsonResponse(
        'The deliveries.',
        ref('Deliveries'),
        { delivered: { summary: 'Delivered', value: { data: [delivery] } } },
        {
          links: {
            redeliver: {
              operationId: 'redeliver',
              description: 'Send the event again.',
              parameters: { id: '$request.path.id', sequence: '$response.body#/data/0/sequence' },
            },
          },
        },
      ),
    },
    problems: ['video_not_found'],
  },
  {
    method: 'post',
    path: '/videos/{id}/deliveries/{sequence}/redeliver',
    id: 'redeliver',
    summary: 'Send an event again',
    description:
      'Immediately, and if that fails for another 24 hours; also if a newer event was delivered. It has the same `webhook-id`.',
    parameters: [videoIdInPath, sequenceInPath],
    responses: {
      202: jsonResponse('The delivery, which is pending.', ref('Delivery'), {
        pending: { summary: 'Pending', value: again },
      }),
    },
    problems: ['video_not_found', 'delivery_not_found', 'no_webhook'],
  },
]);
