import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { newVideo } from '../../functions/video/store.ts';
import { copyAndVerify } from '../../functions/workflow/verify-video.ts';
import type { Archived, Order } from './measure.ts';

/** The process that is measured: archives one video and says what it took. Started by `measure.ts` with an order as its argument. */
const order = JSON.parse(process.argv[2]!) as Order;
const { bucket, key, url } = order;
const s3 = new S3Client({
  endpoint: order.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

/** As the deployed function does it. */
async function streamed(): Promise<{ bytes: number; sha256: string }> {
  const services = {
    s3,
    bucket,
    fetch,
    videoHosts: [],
    trustedOrigins: [new URL(url).origin],
    now: Date.now,
    recordMetric: () => {},
    logger: console,
  };
  const video = newVideo(
    {
      id: 'bench',
      owner: 'bench',
      source: { type: 'api', key_id: 'bench' },
      model: 'wan2.2-i2v-plus',
      input: { prompt: 'A long way', img_url: 'https://example.com/cat.png' },
      parameters: { resolution: order.asked.resolution, duration: order.asked.seconds },
      metadata: {},
      warnings: [],
      request_hash: 'bench',
    },
    Date.now(),
  );
  const proof = await copyAndVerify(services, video, url, key);
  return proof.video;
}

/** What one would write first: all of it in memory, then all of it out. */
async function whole(): Promise<{ bytes: number; sha256: string }> {
  const body = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const digest = createHash('sha256').update(body).digest();
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: body,
      ContentType: 'video/mp4',
      ChecksumSHA256: digest.toString('base64'),
    }),
  );
  return { bytes: body.byteLength, sha256: digest.toString('hex') };
}

/** The most memory that the system has held for this process at once, in bytes. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

async function main(): Promise<Archived> {
  const started = performance.now();
  const { bytes, sha256 } = await (order.way === 'streamed' ? streamed() : whole());
  return { bytes, sha256, seconds: (performance.now() - started) / 1000, peak_bytes: peakMemory() };
}

// A bundle's whole text would stand above an error that nobody caught.
main().then(
  (archived) => process.stdout.write(JSON.stringify(archived)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
