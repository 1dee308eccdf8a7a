import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type DroppedObject, objectCreated } from './dropped-object.ts';

/**
 * Sends a message that the drop function receives after a delay. Its body is the image's event, so a dead letter can be handled like
 * any other event of a drop.
 */
export async function startWait(
  { client, queueUrl, seconds }: { client: Pick<SQSClient, 'send'>; queueUrl: string; seconds: number },
  object: DroppedObject,
): Promise<void> {
  // SQS refuses these two characters, which a key may contain.
  const MessageBody = JSON.stringify(objectCreated(object))
    .replaceAll('\ufffe', '\\ufffe')
    .replaceAll('\uffff', '\\uffff');
  await client.send(new SendMessageCommand({ QueueUrl: queueUrl, DelaySeconds: seconds, MessageBody }));
}
