import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../../infra/synth/bundle.ts';
import { serve } from '../../local/aws/s3/s3.ts';
import { heapFlags } from './heap-flags.ts';
import { asked } from './padded-video.ts';
import { serveVideos } from './source.ts';

export type Way = 'streamed' | 'whole';

/** What an archiver is to do. */
export interface Order {
  way: Way;
  url: string;
  endpoint: string;
  bucket: string;
  key: string;
  asked: typeof asked;
}

/** What it did. */
export interface Archived {
  bytes: number;
  sha256: string;
  seconds: number;
  /** Resident memory of the process, at its most. */
  peak_bytes: number;
}

export interface Workbench {
  /**
   * Archives a video of so many bytes in a process of its own.
   * @throws Error with what the process said, when it fails
   */
  archive(way: Way, bytes: number): Promise<Archived>;
  close(): Promise<void>;
}

/**
 * Serves videos and an S3 from this process, so that the archiver's memory is the archiver's alone. It is bundled as a Lambda is, and
 * Node is started as in a Lambda of this memory.
 */
export async function openWorkbench(memoryMb: number): Promise<Workbench> {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-archiving-'));
  const [source, s3, bundles] = await Promise.all([
    serveVideos(),
    serve({
      directory: path.join(directory, 's3'),
      now: Date.now,
      secretOf: (id) => (id === 'local' ? id : undefined),
      onObjectEvent: async () => undefined,
    }),
    bundle({ entries: { archiver: 'bench/archive/archiver.ts' }, outdir: directory }),
  ]);
  const bucket = 'videos';
  await s3.createBucket(bucket, { versioned: true });
  const program = path.join(bundles.get('archiver')!.directory, 'index.js');
  let count = 0;

  return {
    async archive(way, bytes) {
      count += 1;
      const key = `bench/${count}.mp4`;
      const order: Order = { way, url: `${source.origin}/${bytes}`, endpoint: s3.endpoint, bucket, key, asked };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...heapFlags(memoryMb), program, JSON.stringify(order)],
        { env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' } },
      );
      const archived = JSON.parse(stdout) as Archived;
      if (archived.bytes !== bytes) throw new Error(`${archived.bytes} bytes were archived of ${bytes}.`);
      return archived;
    },
    async close() {
      await Promise.all([source.close(), s3.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
