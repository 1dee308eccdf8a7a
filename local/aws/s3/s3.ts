import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../listen.ts';
import { handleRequest } from './handle-request.ts';
import type { RecordedCall } from './operations/call.ts';
import { publishEvent } from './operations/put-object.ts';
import { openBuckets } from './store/buckets.ts';
import type { BucketSettings, ObjectEvent } from './store/records.ts';

export type { RecordedCall } from './operations/call.ts';
export type { BucketSettings, CorsRule, ObjectEvent } from './store/records.ts';

export interface S3Options {
  /** Holds all state, which survives a kill at any time. Only one server may use it at a time. */
  directory: string;
  /** Milliseconds since 1970. Determines dates, expiry and clock skew. */
  now: () => number;
  /** Returns undefined for an access key that does not exist. */
  secretOf: (accessKeyId: string) => string | undefined;
  /**
   * Called one or more times for every change, after it is on disk and before the response. If it rejects, the response is
   * a 500, the change remains, and the event is published again after the next start.
   */
  onObjectEvent: (event: ObjectEvent) => Promise<void>;
  /** Called with the IAM actions of each authenticated call. */
  recordCall?: (call: RecordedCall) => void;
}

export interface S3 {
  /** Responds to one request. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Creates the bucket or replaces its settings. Objects are kept. */
  createBucket(name: string, settings: BucketSettings): Promise<void>;
  /** Publishes the events that a crash prevented. Call it once, when `onObjectEvent` is ready. */
  resume(): Promise<void>;
}

/** A small S3 for development and tests. `README.md` lists what it supports. */
export function createS3(options: S3Options): S3 {
  const buckets = openBuckets(options.directory, options.now);
  const services = { ...options, recordCall: options.recordCall ?? (() => {}), buckets };

  return {
    handle: (request, response) => handleRequest(request, response, services),
    createBucket: async (name, { versioned = false, ...settings }) => {
      const bucket = buckets.find(name);
      const previousState = bucket?.state();
      // Versioning cannot be disabled, only suspended.
      const unversioned = !previousState || previousState.versioning === 'Unversioned' ? 'Unversioned' : 'Suspended';
      const versioning = versioned ? 'Enabled' : unversioned;
      const state = { ...settings, versioning, created: previousState?.created ?? options.now() } as const;
      if (bucket) bucket.configure(state);
      else buckets.create(name, state);
    },
    resume: async () => {
      for (const bucket of buckets.all())
        for (const event of bucket.unpublishedEvents()) await publishEvent(services, bucket, event);
    },
  };
}

export interface RunningS3 extends Pick<S3, 'createBucket'> {
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  close(): Promise<void>;
}

/** Serves only S3, on a free port of 127.0.0.1. */
export async function serve(options: S3Options): Promise<RunningS3> {
  const s3 = createS3(options);
  const listener = await listen(0, 'PORT');
  listener.serve(s3.handle);
  return { endpoint: listener.url, createBucket: s3.createBucket, close: listener.close };
}
