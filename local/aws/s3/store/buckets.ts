import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Error } from '../errors.ts';
import { type Bucket, type BucketState, openBucket, writeBucketState } from './bucket.ts';

export interface Buckets {
  /** Ordered by name. */
  all(): Bucket[];
  find(name: string): Bucket | undefined;
  /** @throws `NoSuchBucket` */
  get(name: string): Bucket;
  /** @throws `InvalidBucketName`; the bucket must not exist */
  create(name: string, state: BucketState): Bucket;
  remove(bucket: Bucket): Promise<void>;
  /** Returns a number greater than all earlier ones, even those before a restart. It grows with the clock. */
  nextSequence(): number;
}

/** Sequence numbers per millisecond. More changes in one millisecond use the numbers of the next. */
const sequencesPerMillisecond = 1024;

export function openBuckets(directory: string, now: () => number): Buckets {
  const bucketsDirectory = join(directory, 'buckets');
  const unfinished = join(directory, 'unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  for (const path of [bucketsDirectory, unfinished]) mkdirSync(path, { recursive: true });

  const buckets = new Map<string, Bucket>();
  for (const name of readdirSync(bucketsDirectory)) buckets.set(name, openBucket(join(bucketsDirectory, name), name));
  let sequence = 0;
  for (const bucket of buckets.values()) sequence = Math.max(sequence, latestSequence(bucket));

  return {
    all: () => [...buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => buckets.get(name),
    get: (name) => {
      const bucket = buckets.get(name);
      if (bucket) return bucket;
      throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { elements: { BucketName: name } });
    },
    create: (name, state) => {
      checkBucketName(name);
      const temporary = join(unfinished, randomUUID());
      mkdirSync(temporary);
      writeBucketState(temporary, state);
      renameSync(temporary, join(bucketsDirectory, name));
      const bucket = openBucket(join(bucketsDirectory, name), name);
      buckets.set(name, bucket);
      return bucket;
    },
    remove: async (bucket) => {
      const trash = join(unfinished, randomUUID());
      renameSync(bucket.directory, trash);
      bucket.retire();
      buckets.delete(bucket.name);
      await rm(trash, { recursive: true });
    },
    nextSequence: () => {
      sequence = Math.max(sequence + 1, Math.floor(now()) * sequencesPerMillisecond);
      return sequence;
    },
  };
}

function latestSequence(bucket: Bucket): number {
  let latest = 0;
  for (const key of bucket.versions.keys()) latest = Math.max(latest, bucket.versions.versions(key)[0]!.sequence);
  return latest;
}

function checkBucketName(name: string): void {
  const isValid = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !/\.\.|\.-|-\.|^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (!isValid) {
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', { elements: { BucketName: name } });
  }
}
