import { randomUUID } from 'node:crypto';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { aVideo } from '../../support/videos.ts';
import type { Crashing } from '../workflow/support.ts';

type S3 = Pick<S3Client, 'send'>;

/** An S3 each of whose calls may be the one at which the process dies. */
export const crashingS3 = (s3: S3, crashing: Crashing): S3 => ({
  send: ((command: never) => crashing.through(() => s3.send(command) as Promise<unknown>)) as S3['send'],
});

/** Puts an object; @returns its version. */
export async function put(s3: S3, bucket: string, key: string, body: string | Uint8Array): Promise<string> {
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  return VersionId!;
}

/** The current object; undefined where it does not exist. */
export async function get(s3: S3, bucket: string, key: string) {
  try {
    const found = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const { ContentType: type, Metadata: labels = {}, VersionId: version } = found;
    return { text: await found.Body!.transformToString(), type, labels, version };
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}

/** A drop's record that has ended, in the table. */
export async function endedDrop(
  table: Table,
  image: { key: string; version_id: string },
  as: 'succeeded' | 'failed' | 'canceled' = 'failed',
  given: Partial<VideoRecord> = {},
): Promise<VideoRecord> {
  const source = { type: 'drop', bucket: 'uploads', ...image } as const;
  const { video: queued } = (await createVideo(table, aVideo({ source, ...given }, table.now()))) as {
    video: VideoRecord;
  };
  return endAs(table, queued, as);
}

const failure = { code: 'content_refused', message: 'Refused.', retryable: false, billed: false, hint: 'Change it.' };

/** Ends a queued video. */
export async function endAs(
  table: Table,
  queued: VideoRecord,
  as: 'succeeded' | 'failed' | 'canceled',
): Promise<VideoRecord> {
  if (as !== 'succeeded') {
    return (await changeStatus(table, queued, as, as === 'failed' ? { set: { error: failure } } : {}))!;
  }
  let video = queued;
  for (const status of ['submitting', 'running', 'archiving'] as const) {
    video = (await changeStatus(table, video, status))!;
  }
  return (await changeStatus(table, video, 'succeeded', { set: archived(queued.id) }))!;
}

const archived = (id: string): Partial<VideoRecord> => ({
  video: {
    bucket: 'videos',
    key: `${id}/1-1.mp4`,
    bytes: 5,
    sha256: 'a'.repeat(64),
    content_type: 'video/mp4',
    duration_seconds: 5,
    width: 832,
    height: 480,
    fps: 30,
    codecs: ['avc1.640020'],
    provenance: { c2pa: false, aigc_label: false, watermark: false },
  },
  cost: { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' },
});

/** A key that no other test uses. */
export const freshKey = (name = 'cat.png'): string => `drop/${randomUUID()}/${name}`;
