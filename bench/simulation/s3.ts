import path from 'node:path';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { account, developerAccessKey, region } from '../../local/aws/account.ts';
import { type ObjectEvent, serve } from '../../local/aws/s3/s3.ts';
import type { Count } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Latency } from './latency.ts';

/** Starts the local S3 on loopback. It uses the machine's time, with which the SDK signs requests. */
export async function simulateS3(
  { latency, count }: { clock: VirtualClock; latency: Latency; count?: Count | undefined },
  { directory, onObjectEvent }: { directory: string; onObjectEvent: (event: ObjectEvent) => void },
) {
  const s3 = await serve({
    directory: path.join(directory, 's3'),
    now: Date.now,
    secretOf: () => developerAccessKey.secret_access_key,
    onObjectEvent: async (event) => onObjectEvent(event),
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
  const [client, observer] = [connect(), connect()];
  const send = observer.send.bind(observer) as (...call: unknown[]) => Promise<object>;
  client.send = ((...call: [object, ...unknown[]]) => {
    const { name } = call[0].constructor;
    if (/^(Get|Head)/.test(name)) count?.('objectGet', 1);
    else if (!name.startsWith('Delete')) count?.('objectPut', 1);
    return latency('s3', async () => bufferBody(await send(...call)));
  }) as typeof client.send;
  return {
    endpoint: s3.endpoint,
    /** For functions. Its calls take time on the virtual clock. */
    client,
    /** For the bench. Its calls take no time on the virtual clock. */
    observer,
    createBucket: s3.createBucket,
    async close() {
      client.destroy();
      observer.destroy();
      await s3.close();
    },
  };
}

/** Buffers the body of a response, so that reading it takes no more real time. */
async function bufferBody(response: object): Promise<object> {
  if (!('Body' in response)) return response;
  const bytes = await (response.Body as { transformToByteArray(): Promise<Uint8Array> }).transformToByteArray();
  const Body = Object.assign(Readable.from([bytes]), {
    transformToByteArray: async () => bytes,
    transformToString: async () => Buffer.from(bytes).toString('utf8'),
  });
  return { ...response, Body };
}
