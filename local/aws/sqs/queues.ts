import { randomUUID } from 'node:crypto';
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

export interface QueuesOptions {
  /** Holds a file `<queue>.jsonl` per queue, a message a line. */
  directory: string;
  now: () => number;
  queues: readonly { arn: string; name: string }[];
}

/** The template's queues, as far as they are the end of a road: messages are kept for a person to read. */
export interface Queues {
  /**
   * Appends a message.
   * @throws Error for an ARN that is no queue of the template
   */
  send(arn: string, body: string, attributes?: Record<string, string>): Promise<void>;
}

export function createQueues({ directory, now, queues }: QueuesOptions): Queues {
  const nameByArn = new Map(queues.map(({ arn, name }) => [arn, name]));
  return {
    async send(arn, body, attributes = {}) {
      const name = nameByArn.get(arn);
      if (name === undefined) throw new Error(`${arn} is no queue of the template`);
      await mkdir(directory, { recursive: true });
      const line = { message_id: randomUUID(), sent_at: new Date(now()).toISOString(), body, attributes };
      // One write of one line: appends to a file don't mix.
      await appendFile(path.join(directory, `${name}.jsonl`), `${JSON.stringify(line)}\n`, { mode: 0o600 });
    },
  };
}
