import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { newVideo } from '../../functions/video/store.ts';
import { copyAndVerify } from '../../functions/workflow/verify-video.ts';
import type { ArchiveJob, ArchiveResult } from './measure.ts';

/** The measured process: archives one video and prints the result. `measure.ts` starts it with a job as its argument. */
const job = JSON.parse(process.argv[2]!) as ArchiveJob;
const { bucket, key, url } = job;
const s3 = new S3Client({
  endpoint: job.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

/** Copies like the deployed function. */
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
      input: { prompt: 'A long way', media: [{ type: 'first_frame', url: 'https://example.com/cat.png' }] },
      parameters: { resolution: job.videoParameters.resolution, duration: job.videoParameters.seconds },
      metadata: {},
      warnings: [],
      request_hash: 'bench',
    },
    Date.now(),
  );
  const proof = await copyAndVerify(services, video, url, key);
  return proof.video;
}

/** Copies in the simplest way: reads the whole file into memory, then writes it. */
async function buffered(): Promise<{ bytes: number; sha256: string }> {
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

/** Returns the peak resident memory of this process in bytes. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

async function main(): Promise<ArchiveResult> {
  const started = performance.now();
  const { bytes, sha256 } = await (job.mode === 'streamed' ? streamed() : buffered());
  return { bytes, sha256, seconds: (performance.now() - started) / 1000, peak_bytes: peakMemory() };
}

// Node prints the source line of an uncaught error, which in a bundle is the whole code.
main().then(
  (archived) => process.stdout.write(JSON.stringify(archived)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
