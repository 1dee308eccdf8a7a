import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { writeFileWhole } from '../../wan/write-file.ts';

export interface QueueDefinition {
  arn: string;
  name: string;
  /** How an event source receives its messages. @default none does: they are kept for a person to read */
  delivery?: DeliverySettings | undefined;
}

export interface DeliverySettings {
  /** How long a received message is hidden; if it is not deleted by then, it is received again. */
  visibility_timeout_seconds: number;
  /** An older message is deleted. */
  retention_seconds: number;
  /** Where a message goes that was received so often in vain. @default nowhere: it is received until it expires */
  redrive?: { dead_letter_arn: string; maximum_receive_count: number } | undefined;
}

export interface Message {
  message_id: string;
  /** Milliseconds since 1970. */
  sent_at: number;
  body: string;
  attributes: Record<string, string>;
  /** Milliseconds since 1970: not received before. */
  delayed_until: number;
  receive_count: number;
  /** Milliseconds since 1970. */
  first_received_at?: number;
}

export interface QueuesOptions {
  /** Holds a file `<queue>.jsonl` with a message a line, or a directory `<queue>` with a file per message if one receives them. */
  directory: string;
  now: () => number;
  queues: readonly QueueDefinition[];
}

/** The template's queues. What was sent survives a kill of this process. */
export interface Queues {
  /** The ARN of the queue with a URL. */
  arnOf(queueUrl: string): string | undefined;
  /**
   * Resolves with the message's id when it is on disk.
   * @param delaySeconds @default 0
   * @throws Error for an ARN that is no queue of the template
   */
  send(arn: string, body: string, attributes?: Record<string, string>, delaySeconds?: number): Promise<string>;
  /** Receives up to `most` of the messages that are visible now, and hides all of these before it first yields. */
  receive(arn: string, most: number): Promise<Message[]>;
  delete(arn: string, messages: readonly Message[]): Promise<void>;
  /** When the first of the queue's messages is visible (milliseconds since 1970), if it has any. */
  visibleAt(arn: string): number | undefined;
  /** Calls the listener whenever a message was sent to a queue whose messages are received. */
  onSent(listener: () => void): void;
  /** Reads the messages that an earlier process left. Those that it had received are visible at once, since it is gone. */
  resume(): Promise<void>;
}

export function createQueues({ directory, now, queues }: QueuesOptions): Queues {
  const live = queues.map((queue) => ({
    ...queue,
    messages: new Map<string, { message: Message; visible_at: number }>(),
  }));
  type LiveQueue = (typeof live)[number];
  const listeners: (() => void)[] = [];

  const find = (arn: string): LiveQueue => {
    const queue = live.find((candidate) => candidate.arn === arn);
    if (!queue) throw new Error(`${arn} is no queue of the template`);
    return queue;
  };
  const fileOf = ({ name }: LiveQueue, { message_id }: Message) => path.join(directory, name, `${message_id}.json`);
  const write = (queue: LiveQueue, message: Message) => writeFileWhole(fileOf(queue, message), JSON.stringify(message));
  const remove = async (queue: LiveQueue, message: Message) => {
    queue.messages.delete(message.message_id);
    await rm(fileOf(queue, message), { force: true });
  };
  const store = async (queue: LiveQueue, message: Message) => {
    if (!queue.delivery) {
      const { message_id, sent_at, body, attributes } = message;
      const line = { message_id, sent_at: new Date(sent_at).toISOString(), body, attributes };
      await mkdir(directory, { recursive: true });
      // One write of one line: appends to a file do not mix.
      await appendFile(path.join(directory, `${queue.name}.jsonl`), `${JSON.stringify(line)}\n`, { mode: 0o600 });
      return;
    }
    await write(queue, message);
    queue.messages.set(message.message_id, { message, visible_at: message.delayed_until });
    for (const listener of listeners) listener();
  };
  /** Counts a message as received, unless it is too old or was received too often. */
  const take = async (queue: LiveQueue, delivery: DeliverySettings, message: Message): Promise<Message[]> => {
    const { retention_seconds, redrive } = delivery;
    const isExpired = now() - message.sent_at >= retention_seconds * 1000;
    const isDead = redrive !== undefined && message.receive_count >= redrive.maximum_receive_count;
    if (isDead && !isExpired) {
      await store(find(redrive.dead_letter_arn), { ...message, delayed_until: now(), receive_count: 0 });
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
    arnOf: (queueUrl) => live.find(({ name }) => name === queueUrl.split('/').at(-1))?.arn,
    async send(arn, body, attributes = {}, delaySeconds = 0) {
      const sent = { message_id: randomUUID(), sent_at: now(), body, attributes, receive_count: 0 };
      await store(find(arn), { ...sent, delayed_until: sent.sent_at + delaySeconds * 1000 });
      return sent.message_id;
    },
    async receive(arn, most) {
      const queue = find(arn);
      const { delivery } = queue;
      if (!delivery) return [];
      const visible = [...queue.messages.values()].filter(({ visible_at }) => visible_at <= now());
      const taken = visible.sort((one, other) => one.visible_at - other.visible_at).slice(0, most);
      for (const entry of taken) entry.visible_at = now() + delivery.visibility_timeout_seconds * 1000;
      return (await Promise.all(taken.map(({ message }) => take(queue, delivery, message)))).flat();
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
      for (const queue of live.filter(({ delivery }) => delivery)) {
        const files = await readdir(path.join(directory, queue.name)).catch(() => []);
        for (const file of files.filter((name) => name.endsWith('.json'))) {
          const message = JSON.parse(await readFile(path.join(directory, queue.name, file), 'utf8')) as Message;
          queue.messages.set(message.message_id, { message, visible_at: message.delayed_until });
        }
      }
    },
  };
}
