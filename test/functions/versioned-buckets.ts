import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { serve } from '../../local/aws/s3/s3.ts';

/** Starts an S3 with the versioned buckets `videos` and `uploads`. */
export async function versionedBuckets() {
  const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-buckets-'));
  const storage = await serve({
    directory,
    now: Date.now,
    secretOf: () => 'local',
    onObjectEvent: async () => undefined,
  });
  for (const bucket of ['videos', 'uploads']) await storage.createBucket(bucket, { versioned: true });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const s3 = new S3Client({ endpoint: storage.endpoint, region: 'us-east-1', credentials });
  const keysBelow = async (Bucket: string, Prefix: string): Promise<string[]> => {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
    return [...Versions, ...DeleteMarkers].map(({ Key }) => Key!);
  };
  return {
    s3,
    /** Returns the keys of all versions and delete markers of a video's objects. */
    objectsOf: async (id: string) => [
      ...(await keysBelow('videos', `${id}/`)),
      ...(await keysBelow('uploads', `inputs/${id}/`)),
    ],
    keysBelow,
    /** Adds a versioned bucket. @returns its name */
    addBucket: async () => {
      const name = `bucket-${randomUUID()}`;
      await storage.createBucket(name, { versioned: true });
      return name;
    },
    close: async () => {
      s3.destroy();
      await storage.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
