import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { type BucketSettings, type ObjectEvent, type RecordedCall, serve } from '../../../../local/aws/s3/s3.ts';

export const credentials = { accessKeyId: 'local', secretAccessKey: 'local-secret' };
export const region = 'eu-central-1';

export interface StartOptions {
  /** @default one unversioned bucket `files` */
  buckets?: Record<string, BucketSettings>;
  directory?: string;
  now?: () => number;
  onObjectEvent?: (event: ObjectEvent) => Promise<void>;
}

export type TestS3 = Awaited<ReturnType<typeof startS3>>;

/** Starts a server on a free port and an SDK client for it. Both are closed after the test. */
export async function startS3(options: StartOptions = {}) {
  const directory = options.directory ?? (await temporaryDirectory());
  const events: ObjectEvent[] = [];
  const calls: RecordedCall[] = [];
  const s3 = await serve({
    directory,
    now: options.now ?? Date.now,
    secretOf: (id) => (id === credentials.accessKeyId ? credentials.secretAccessKey : undefined),
    onObjectEvent:
      options.onObjectEvent ??
      (async (event) => {
        events.push(event);
      }),
    recordCall: (call) => calls.push(call),
  });
  onTestFinished(() => s3.close());
  for (const [name, settings] of Object.entries(options.buckets ?? { files: {} }))
    await s3.createBucket(name, settings);
  const client = (config: S3ClientConfig = {}) => {
    const made = new S3Client({ endpoint: s3.endpoint, region, credentials, maxAttempts: 1, ...config });
    onTestFinished(() => made.destroy());
    return made;
  };
  return { ...s3, directory, events, calls, client, sdk: client() };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 's3-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Returns `<code> <status>` of a command's error. */
export async function errorOf(command: Promise<unknown>): Promise<string> {
  try {
    await command;
  } catch (error) {
    if (error instanceof Error && '$metadata' in error) {
      const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
      return `${error.name} ${httpStatusCode}`;
    }
    throw error;
  }
  return 'no error';
}
