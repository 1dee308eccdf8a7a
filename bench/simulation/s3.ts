import path from 'node:path';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { account, developerAccessKey, region } from '../../local/aws/account.ts';
import { type ObjectEvent, serve } from '../../local/aws/s3/s3.ts';
import type { Count } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/** The local S3, over loopback. It has the machine's own time: the SDK signs by that. */
export async function simulateS3(
  { latency, count }: { clock: VirtualClock; latency: Latency; count?: Count | undefined },
  { directory, changed }: { directory: string; changed: (event: ObjectEvent) => void },
) {
  const s3 = await serve({
    directory: path.join(directory, 's3'),
    now: Date.now,
    secretOf: () => developerAccessKey.secret_access_key,
    onObjectEvent: async (event) => changed(event),
  });
  const connect = () =>
    new S3Client({
      endpoint: s3.endpoint,
      region,
      credentials: {
        accessKeyId: developerAccessKey.access_key_id,
        secretAccessKey: developerAccessKey.secret_access_key,
        accountId: account,
      },
    });
  const [client, outside] = [connect(), connect()];
  const send = outside.send.bind(outside) as (...call: unknown[]) => Promise<object>;
  client.send = ((...call: [object, ...unknown[]]) => {
    const { name } = call[0].constructor;
    if (/^(Get|Head)/.test(name)) count?.('objectGet', 1);
    else if (!name.startsWith('Delete')) count?.('objectPut', 1);
    return latency('s3', async () => whole(await send(...call)));
  }) as typeof client.send;
  return {
    endpoint: s3.endpoint,
    /** Its calls take their time by the virtual clock. */
    client,
    /** For whoever looks at the buckets from outside of the simulation. */
    outside,
    createBucket: s3.createBucket,
    async close() {
      client.destroy();
      outside.destroy();
      await s3.close();
    },
  };
}

/** An answer whose body has arrived: reading it takes no more real time. */
async function whole(answer: object): Promise<object> {
  if (!('Body' in answer)) return answer;
  const bytes = await (answer.Body as { transformToByteArray(): Promise<Uint8Array> }).transformToByteArray();
  const Body = Object.assign(Readable.from([bytes]), {
    transformToByteArray: async () => bytes,
    transformToString: async () => Buffer.from(bytes).toString('utf8'),
  });
  return { ...answer, Body };
}
