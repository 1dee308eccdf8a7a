import type { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { beforeEach, expect, test } from 'vitest';
import { composeDispatch } from '../../../functions/entries/maintenance.ts';
import type { Platform } from '../../../functions/entries/platform.ts';
import { composeDeliver } from '../../../functions/entries/webhooks.ts';
import { putSubscription } from '../../../functions/events/subscriptions.ts';
import { sendWebhook } from '../../../functions/events/webhook-request.ts';
import { webhookSecret } from '../../../functions/events/webhook-secret.ts';
import type { Table } from '../../../functions/video/table.ts';
import { aWebhookStage, MINUTE, master } from '../events/support.ts';
import { aContext, linesOf } from '../log-lines.ts';
import { aPlatform } from './platform.ts';

let stage: ReturnType<typeof aWebhookStage>;
beforeEach(() => {
  stage = aWebhookStage();
});

const queueUrl = 'https://sqs.us-east-1.amazonaws.com/0/webhooks';
const dispatchOf = (table: Table, sqs: Platform['sqs']) =>
  composeDispatch(
    {
      TABLE_NAME: table.tableName,
      EVENT_BUS_NAME: 'videos',
      STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:0:stateMachine:videos',
      LIMIT_SETTINGS: { extra_permits: 0, models: {} },
      CATALOGUE: {},
      WEBHOOK_QUEUE_URL: queueUrl,
    },
    aPlatform(table, { sqs }),
  )({}, aContext('request'));

test('the minute job enqueues due deliveries, even when the queue of a model cannot be read', async () => {
  const sent: SendMessageBatchCommand['input'][] = [];
  const sqs = {
    send: async ({ input }: SendMessageBatchCommand) => sent.push(input) && {},
  } as unknown as Platform['sqs'];
  await stage.video({}, 'failed');
  await dispatchOf(stage.table, sqs);
  expect(sent).toEqual([]);
  stage.clock.now += 5 * MINUTE;
  const client = {
    send: async (command: never) => {
      if (JSON.stringify(command).includes('queued#wan2.2-i2v-plus')) throw new Error('ECONNRESET');
      return stage.table.client.send(command);
    },
  } as Table['client'];
  await expect(dispatchOf({ ...stage.table, client }, sqs)).rejects.toThrow('ECONNRESET');
  expect(sent).toEqual([{ QueueUrl: queueUrl, Entries: [expect.objectContaining({ Id: '0' })] }]);
});

test('a refusal of SQS is an error, and the delivery is enqueued again after 15 minutes', async () => {
  await stage.video({}, 'failed');
  stage.clock.now += 5 * MINUTE;
  const refusing = {
    send: async () => ({ Failed: [{ Id: '0', Code: 'InternalError', SenderFault: false }] }),
  } as unknown as Platform['sqs'];
  await expect(dispatchOf(stage.table, refusing)).rejects.toThrow('1 batches of deliveries could not be sent.');
  stage.clock.now += 15 * MINUTE;
  expect(await stage.enqueueDue()).toBe(1);
});

test('log lines have ids and outcomes, and no URL, secret or metadata, whatever happens', async () => {
  const secret = 'very-secret';
  const url = `https://10.0.0.1/${secret}?token=${secret}`;
  await putSubscription(stage.table, 'alice', { url, events: 'all' });
  await stage.video({ webhook: undefined, metadata: { name: secret } } as never, 'failed');
  const other = await stage.video({ webhook: { url, events: 'endings' }, metadata: { name: secret } }, 'failed');
  const messages = stage.fast.splice(0);
  const client = {
    send: async (command: never) => {
      if (JSON.stringify(command).includes(other.id)) throw new Error('ECONNRESET');
      return stage.table.client.send(command);
    },
  } as Table['client'];
  const Records = messages.map((message, index) => ({ messageId: `m${index}`, body: JSON.stringify(message) }));
  Records.push({ messageId: 'unreadable', body: '{}' });
  let answer: unknown;
  const lines = await linesOf(async () => {
    const handler = composeDeliver(
      {
        TABLE_NAME: stage.table.tableName,
        SLOW_WEBHOOK_QUEUE_URL: queueUrl,
        WEBHOOK_SECRET_ARN: 'arn:aws:secretsmanager:us-east-1:0:secret:webhooks',
        LOOPBACK_WEBHOOKS: false,
      },
      aPlatform(
        { ...stage.table, client },
        { sqs: stage.sqs, sendWebhook, secrets: { send: async () => ({ SecretString: master }) } as never },
      ),
    );
    answer = await handler({ Records } as never, aContext('request'));
  });
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm2' }, { itemIdentifier: 'unreadable' }] });
  expect(lines.map(({ message, sequence }) => `${message} ${sequence}`).toSorted()).toEqual([
    'Could not handle a delivery; will retry 2',
    'Could not handle a delivery; will retry undefined',
    'Delivery failed; will retry 1',
    'Delivery failed; will retry 2',
  ]);
  const text = JSON.stringify(lines);
  expect(text).toContain(other.id);
  for (const hidden of [secret, 'https://', webhookSecret(master, 'alice', 1).slice(6), master])
    expect(text).not.toContain(hidden);
});
