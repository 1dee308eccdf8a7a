import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../listen.ts';
import { handleRequest } from './handle.ts';
import type { RecordedCall } from './operations/call.ts';
import { tell } from './operations/put-object.ts';
import { openBuckets } from './store/buckets.ts';
import type { BucketSettings, ObjectEvent } from './store/records.ts';

export interface S3Options {
  /** Holds all state, which survives a kill at any moment. One server at a time may use it. */
  directory: string;
  /** Milliseconds. Dates, expiries and clock skew go by it. */
  now: () => number;
  /** `undefined` for an access key that does not exist. */
  secretOf: (accessKeyId: string) => string | undefined;
  /**
   * Told of every change at least once, after it is on disk and before the request is answered. When it rejects, the answer is
   * 500 and the change stays; it is told again after the next start.
   */
  onObjectEvent: (event: ObjectEvent) => Promise<void>;
  /** Told the IAM actions of each authenticated call. @default not told */
  recordCall?: (call: RecordedCall) => void;
}

export interface S3 {
  /** Answers one request; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Makes the bucket exist with these settings, which replace earlier ones. What it holds stays. */
  createBucket(name: string, settings: BucketSettings): Promise<void>;
  /** Tells of changes that a crash kept from being told. Call it once, when `onObjectEvent` can be served. */
  resume(): Promise<void>;
  /** Settles when nothing is being tidied any more. Stop handing it requests first. */
  close(): Promise<void>;
}

/** A small S3 for development and tests; `README.md` says what it supports. */
export function createS3(options: S3Options): S3 {
  const buckets = openBuckets(options.directory, options.now);
  const services = { ...options, recordCall: options.recordCall ?? (() => {}), buckets };

  return {
    handle: (request, response) => handleRequest(request, response, services),
    createBucket: async (name, { versioned = false, ...settings }) => {
      const bucket = buckets.find(name);
      const before = bucket?.state();
      // Versioning can't be undone, only suspended.
      const unversioned = !before || before.versioning === 'Unversioned' ? 'Unversioned' : 'Suspended';
      const versioning = versioned ? 'Enabled' : unversioned;
      const state = { ...settings, versioning, created: before?.created ?? options.now() } as const;
      if (bucket) bucket.configure(state);
      else buckets.create(name, state);
    },
    resume: async () => {
      for (const bucket of buckets.all()) for (const event of bucket.untold()) await tell(services, bucket, event);
    },
    close: async () => {
      await Promise.all(buckets.all().map((bucket) => bucket.settled()));
    },
  };
}

export interface RunningS3 extends Pick<S3, 'createBucket'> {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  close(): Promise<void>;
}

/** Serves S3 alone on a free port of 127.0.0.1. */
export async function serve(options: S3Options): Promise<RunningS3> {
  const s3 = createS3(options);
  const listener = await listen(0, 'PORT');
  listener.serve(s3.handle);
  return {
    endpoint: listener.url,
    createBucket: s3.createBucket,
    async close() {
      await listener.close();
      await s3.close();
    },
  };
}
