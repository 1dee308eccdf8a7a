import type { SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, test } from 'vitest';
import { eventsOf } from '../../../functions/drops/drop-event.ts';
import { droppedObject, startWait } from '../../../functions/drops/dropped-object.ts';

const queueUrl = 'https://sqs.us-east-1.amazonaws.com/0/waiting';
const object = { bucket: 'uploads', key: 'drop/a b+猫\ufffe\uffff\u0001.png', version_id: 'v1', size: 5 };

async function sentBy(seconds: number, dropped: Parameters<typeof startWait>[1]) {
  const sent: SendMessageCommand['input'][] = [];
  const client = { send: async (command: SendMessageCommand) => void sent.push(command.input) };
  await startWait({ client: client as Parameters<typeof startWait>[0]['client'], queueUrl, seconds }, dropped);
  return sent;
}

test('one message is delayed as asked, in characters that SQS accepts', async () => {
  const sent = await sentBy(10, object);
  expect(sent).toMatchObject([{ QueueUrl: queueUrl, DelaySeconds: 10 }]);
  expect(sent[0]!.MessageBody).toMatch(/^[\u0020-\ud7ff\ue000-\ufffd]+$/);
});

test.each([
  ['an object with a version', object],
  ['one of a bucket without versions', { bucket: 'uploads', key: 'drop/cat.png', size: 5 }],
])('the message brings back %s, as one that has waited', async (_, dropped) => {
  const [message] = await sentBy(0, dropped);
  const [taken, ...others] = eventsOf({ Records: [{ body: message!.MessageBody! }] });
  expect(others).toEqual([]);
  expect(taken!.waited).toBe(true);
  expect(droppedObject(taken!.event)).toEqual(dropped);
  // As a dead letter's body that an operator invokes the function with.
  expect(eventsOf(JSON.parse(message!.MessageBody!))).toEqual([{ event: taken!.event, waited: false }]);
});

test('a message that could not be sent is an error, so that the event is tried again', async () => {
  const client = { send: () => Promise.reject(new Error('away')) } as Parameters<typeof startWait>[0]['client'];
  await expect(startWait({ client, queueUrl, seconds: 10 }, object)).rejects.toThrow('away');
});
