import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileWhole } from '../../wan/write-file.ts';
import { readJsonFiles } from '../json.ts';

export interface QueueDefinition {
  arn: string;
  name: string;
  /**
   * How an event source receives the messages. @default the queue has no event source: its messages are written to a
   * file for inspection
   */
  delivery?: DeliverySettings | undefined;
}

export interface DeliverySettings {
  /** How long a received message is hidden. If it is not deleted by then, it is received again. */
  visibility_timeout_seconds: number;
  /** How long a message is kept. */
  retention_seconds: number;
  /** Where a message goes after `maximum_receive_count` receives. @default it is received until it expires */
  redrive?: { dead_letter_arn: string; maximum_receive_count: number } | undefined;
}

export interface Message {
  message_id: string;
  /** Milliseconds since 1970. */
  sent_at: number;
  body: string;
  attributes: Record<string, string>;
  /** When the message becomes available, in milliseconds since 1970. */
  delayed_until: number;
  receive_count: number;
  /** Milliseconds since 1970. */
  first_received_at?: number;
}

export interface QueuesOptions {
  /**
   * Holds a file `<queue>.jsonl` with one message per line, or for a queue with an event source a directory `<queue>`
   * with one file per message.
   */
  directory: string;
  now: () => number;
  queues: readonly QueueDefinition[];
}

/** The template's queues. Sent messages survive a kill of this process. */
export interface Queues {
  /** Returns the ARN of the queue with a URL. */
  arnOf(queueUrl: string): string | undefined;
  /**
   * Resolves with the message id when the message is on disk.
   * @param delaySeconds @default 0
   * @throws Error for an ARN that is not a queue of the template
   */
  send(arn: string, body: string, attributes?: Record<string, string>, delaySeconds?: number): Promise<string>;
  /** Receives up to `limit` visible messages. Hides all of them before it first yields. */
  receive(arn: string, limit: number): Promise<Message[]>;
  delete(arn: string, messages: readonly Message[]): Promise<void>;
  /**
   * Returns when the queue's next message becomes visible, in milliseconds since 1970; undefined if the queue is empty.
   */
  visibleAt(arn: string): number | undefined;
  /** Registers a listener that is called after each message to a queue with an event source. */
  onSent(listener: () => void): void;
  /** Loads the messages of an earlier process. Messages that it had received are visible immediately. */
  resume(): Promise<void>;
}

export function createQueues({ directory, now, queues }: QueuesOptions): Queues {
  const liveQueues = queues.map((queue) => ({
    ...queue,
    messages: new Map<string, { message: Message; visible_at: number }>(),
  }));
  type LiveQueue = (typeof liveQueues)[number];
  const listeners: (() => void)[] = [];

  const find = (arn: string): LiveQueue => {
    const queue = liveQueues.find((candidate) => candidate.arn === arn);
    if (!queue) throw new Error(`${arn} is not a queue of the template`);
    return queue;
  };
  const fileOf = ({ name }: LiveQueue, { message_id }: Message) => path.join(directory, name, `${message_id}.json`);
  const write = (queue: LiveQueue, message: Message) => writeFileWhole(fileOf(queue, message), JSON.stringify(message));
  const remove = async (queue: LiveQueue, message: Message) => {
    queue.messages.delete(message.message_id);
    await rm(fileOf(queue, message), { force: true });
  };
  const storeMessage = async (queue: LiveQueue, message: Message) => {
    if (!queue.delivery) {
      const { message_id, sent_at, body, attributes } = message;
      const line = { message_id, sent_at: new Date(sent_at).toISOString(), body, attributes };
      await mkdir(directory, { recursive: true });
      // One write per line, so that concurrent appends do not mix.
      await appendFile(path.join(directory, `${queue.name}.jsonl`), `${JSON.stringify(line)}\n`, { mode: 0o600 });
      return;
    }
    await write(queue, message);
    queue.messages.set(message.message_id, { message, visible_at: message.delayed_until });
    for (const listener of listeners) listener();
  };
  /** Counts a receive. A message that has expired or was received too often is removed instead. */
  const receiveMessage = async (queue: LiveQueue, delivery: DeliverySettings, message: Message): Promise<Message[]> => {
    const { retention_seconds, redrive } = delivery;
    const isExpired = now() - message.sent_at >= retention_seconds * 1000;
    const isDead = redrive !== undefined && message.receive_count >= redrive.maximum_receive_count;
    if (isDead && !isExpired) {
      await storeMessage(find(redrive.dead_letter_arn), { ...message, delayed_until: now(), receive_count: 0 });
    }
    if (isDead || isExpired) {
      await remove(queue, message);
      return [];
    }
    message.receive_count += 1;
    message.first_received_at ??= now();
    await write(queue, message);
    return [message];
  };

  return {
    arnOf: (queueUrl) => liveQueues.find(({ name }) => name === queueUrl.split('/').at(-1))?.arn,
    async send(arn, body, attributes = {}, delaySeconds = 0) {
      const sent = { message_id: randomUUID(), sent_at: now(), body, attributes, receive_count: 0 };
      await storeMessage(find(arn), { ...sent, delayed_until: sent.sent_at + delaySeconds * 1000 });
      return sent.message_id;
    },
    async receive(arn, limit) {
      const queue = find(arn);
      const { delivery } = queue;
      if (!delivery) return [];
      const visible = [...queue.messages.values()].filter(({ visible_at }) => visible_at <= now());
      const batch = visible.sort((one, other) => one.visible_at - other.visible_at).slice(0, limit);
      for (const entry of batch) entry.visible_at = now() + delivery.visibility_timeout_seconds * 1000;
      return (await Promise.all(batch.map(({ message }) => receiveMessage(queue, delivery, message)))).flat();
    },
    async delete(arn, messages) {
      await Promise.all(messages.map((message) => remove(find(arn), message)));
    },
    visibleAt(arn) {
      const times = [...find(arn).messages.values()].map(({ visible_at }) => visible_at);
      return times.length === 0 ? undefined : Math.min(...times);
    },
    onSent(listener) {
      listeners.push(listener);
    },
    async resume() {
      for (const queue of liveQueues.filter(({ delivery }) => delivery)) {
        for (const message of await readJsonFiles<Message>(path.join(directory, queue.name)))
          queue.messages.set(message.message_id, { message, visible_at: message.delayed_until });
      }
    },
  };
}
