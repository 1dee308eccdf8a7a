import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '../../infra/synth/bundle.ts';
import { serve } from '../../local/aws/s3/s3.ts';
import { heapFlags } from './heap-flags.ts';
import { videoParameters } from './padded-video.ts';
import { serveVideos } from './source.ts';

export type CopyMode = 'streamed' | 'buffered';

/** The input of an archiver process. */
export interface ArchiveJob {
  mode: CopyMode;
  url: string;
  endpoint: string;
  bucket: string;
  key: string;
  videoParameters: typeof videoParameters;
}

/** The output of an archiver process. */
export interface ArchiveResult {
  bytes: number;
  sha256: string;
  seconds: number;
  /** Peak resident memory of the process. */
  peak_bytes: number;
}

export interface ArchiveBench {
  /**
   * Archives a video of the given size in its own process.
   * @throws Error with the output of the process if it fails
   */
  archive(mode: CopyMode, bytes: number): Promise<ArchiveResult>;
  close(): Promise<void>;
}

/**
 * Serves videos and S3 from this process, so that the memory of the archiver process is only its own. The archiver is bundled
 * like a Lambda function, and Node is started as in a function of this memory size.
 */
export async function openArchiveBench(memoryMb: number): Promise<ArchiveBench> {
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
    async archive(mode, bytes) {
      count += 1;
      const key = `bench/${count}.mp4`;
      const job: ArchiveJob = {
        mode,
        url: `${source.origin}/${bytes}`,
        endpoint: s3.endpoint,
        bucket,
        key,
        videoParameters,
      };
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...heapFlags(memoryMb), program, JSON.stringify(job)],
        { env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' } },
      );
      const archived = JSON.parse(stdout) as ArchiveResult;
      if (archived.bytes !== bytes) throw new Error(`Archived ${archived.bytes} of ${bytes} bytes.`);
      return archived;
    },
    async close() {
      await Promise.all([source.close(), s3.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
