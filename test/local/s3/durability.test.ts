import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createS3 } from '../../../local/aws/s3/s3.ts';
import { credentials, region, startS3, temporaryDirectory } from './support/start-s3.ts';

const Bucket = 'files';
const versioned = { files: { versioned: true } };

describe('a restart', () => {
  test('publishes an unpublished event once', async () => {
    const unpublished = await startS3({ onObjectEvent: () => Promise.reject(new Error('The process dies here.')) });
    const put = unpublished.sdk.send(new PutObjectCommand({ Bucket, Key: 'published late', Body: 'x' }));
    await expect(put).rejects.toThrow(expect.objectContaining({ name: 'InternalError' }));
    await unpublished.close();
    for (const expected of [['published late'], []]) {
      const published: string[] = [];
      const s3 = createS3({
        directory: unpublished.directory,
        now: Date.now,
        secretOf: () => undefined,
        onObjectEvent: async ({ key }) => void published.push(key),
      });
      await s3.resume();
      expect(published).toEqual(expected);
    }
  });

  test('keeps the state', async () => {
    const first = await startS3({
      buckets: { files: { versioned: true, cors: [{ allowed_origins: ['*'], allowed_methods: ['GET'] }] } },
    });
    await first.sdk.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'one', Metadata: { prompt: 'a cat' } }));
    await first.sdk.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'two', ChecksumAlgorithm: 'SHA256' }));
    await first.sdk.send(new PutObjectCommand({ Bucket, Key: 'deleted', Body: 'gone' }));
    await first.sdk.send(new DeleteObjectCommand({ Bucket, Key: 'deleted' }));
    const { UploadId } = await first.sdk.send(
      new CreateMultipartUploadCommand({ Bucket, Key: 'parts', ContentType: 'video/mp4' }),
    );
    const part = await first.sdk.send(
      new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: 'part' }),
    );
    const versions = new ListObjectVersionsCommand({ Bucket });
    const { $metadata: _, ...before } = await first.sdk.send(versions);
    await first.close();

    const second = await startS3({ directory: first.directory, buckets: {} });
    const { $metadata: __, ...after } = await second.sdk.send(versions);
    expect(after).toEqual(before);
    const head = await second.sdk.send(new HeadObjectCommand({ Bucket, Key: 'kept', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ContentLength: 3, ChecksumSHA256: expect.any(String) });
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag }] };
    await second.sdk.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'parts', UploadId, MultipartUpload }));
    const complete = await second.sdk.send(new GetObjectCommand({ Bucket, Key: 'parts' }));
    expect([await complete.Body!.transformToString(), complete.ContentType]).toEqual(['part', 'video/mp4']);
    const preflight = await fetch(`${second.endpoint}/files/key`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.test', 'access-control-request-method': 'GET' },
    });
    expect(preflight.status).toBe(200);
  });

  test('sequencers grow even if the clock was turned back', async () => {
    const time = Date.now();
    const put = new PutObjectCommand({ Bucket, Key: 'key', Body: 'x' });
    const first = await startS3({ now: () => time });
    await first.sdk.send(put);
    await first.close();
    const second = await startS3({ directory: first.directory, now: () => time - 60_000 });
    await second.sdk.send(put);
    expect(second.events[0]!.sequencer > first.events[0]!.sequencer).toBe(true);
  });

  test('removes unreferenced blobs, unfinished buckets and a truncated line', async () => {
    const first = await startS3();
    await first.sdk.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }));
    await first.close();
    const home = `${first.directory}/buckets/files`;
    await writeFile(`${home}/blobs/orphan`, 'half');
    await appendFile(`${home}/log.jsonl`, '\n{"put":{"kind":"object","key":"torn"');
    await writeFile(`${first.directory}/unfinished/bucket`, '');

    const second = await startS3({ directory: first.directory });
    expect(await readdir(`${home}/blobs`)).toHaveLength(1);
    expect(await readdir(`${first.directory}/unfinished`)).toEqual([]);
    await second.sdk.send(new PutObjectCommand({ Bucket, Key: 'next', Body: 'next' }));
    await second.close();
    const third = await startS3({ directory: first.directory });
    const { Contents } = await third.sdk.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map((each) => each.Key)).toEqual(['kept', 'next']);
  });

  test('compacts a long log to the same state', async () => {
    const first = await startS3({ buckets: versioned });
    await first.sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'one' }));
    await first.sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'two' }));
    await first.sdk.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
    await first.close();
    const log = `${first.directory}/buckets/files/log.jsonl`;
    const lines = await readFile(log, 'utf8');
    await writeFile(log, lines + '\n{"remove":{"key":"none","version_id":"null"}}'.repeat(2000));
    const list = new ListObjectVersionsCommand({ Bucket });
    const second = await startS3({ directory: first.directory, buckets: {} });
    const { $metadata: _, ...before } = await second.sdk.send(list);
    await second.close();
    expect((await readFile(log, 'utf8')).split('\n')).toHaveLength(4);
    const third = await startS3({ directory: first.directory, buckets: {} });
    const { $metadata: __, ...after } = await third.sdk.send(list);
    expect(after).toEqual(before);
    expect(after.Versions).toHaveLength(2);
  });
});

describe('kill -9', () => {
  test('during writes leaves only complete objects, including all acknowledged ones', async () => {
    const directory = await temporaryDirectory();
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 2; round++) {
      const { child, endpoint } = await startChild(directory);
      const sdk = new S3Client({ endpoint, region, credentials, maxAttempts: 1 });
      onTestFinished(() => sdk.destroy());
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        for (let i = 0; ; i++) {
          const Key = `round ${round} writer ${writer} object ${i % 20}`;
          const size = 1000 + ((i * 7919 + writer) % 300_000);
          await sdk.send(
            new PutObjectCommand({
              Bucket,
              Key,
              Body: Buffer.alloc(size, size % 256),
              Metadata: { size: String(size) },
            }),
          );
          acknowledged.set(Key, size);
          if (acknowledged.size > 20 * (round + 1)) child.kill('SIGKILL');
        }
      });
      await Promise.allSettled(writers);
    }
    expect(acknowledged.size).toBeGreaterThan(20);

    const s3 = await startS3({ directory, buckets: {} });
    const { Contents = [] } = await s3.sdk.send(new ListObjectsV2Command({ Bucket }));
    const found = new Set(Contents.map((each) => each.Key));
    expect([...acknowledged.keys()].filter((key) => !found.has(key))).toEqual([]);
    for (const { Key } of Contents) {
      const object = await s3.sdk.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from(await object.Body!.transformToByteArray());
      const size = Number(object.Metadata?.size);
      expect(bytes.equals(Buffer.alloc(size, size % 256))).toBe(true);
    }
    expect(await readdir(`${directory}/buckets/files/blobs`)).toHaveLength(Contents.length);
  });
});

/** A server in its own process, so that it can be killed. */
async function startChild(directory: string): Promise<{ child: ChildProcess; endpoint: string }> {
  const script = new URL('./support/serve-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', script, directory, credentials.secretAccessKey], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const endpoint = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the server ended before it listened')));
    child.stdout?.once('data', (line) => resolve(String(line).trim()));
  });
  return { child, endpoint };
}
