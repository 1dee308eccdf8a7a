import { TOMBSTONE_DAYS, timeToLive } from '../shared/table-schema.ts';
import { isTerminal, type VideoRecord } from './record.ts';

const DAY_SECONDS = 24 * 3600;

/**
 * Returns what a status change writes about the expiry of a video: `expires_at`, when its file expires, and the time to live of its
 * record. Neither without a retention time, or while the video is in progress. The record of a video from the drop folder stays: a sync
 * program may upload the same file again after years, which must not be paid again.
 */
export function expiryOf(
  { videoRetentionDays, now }: { videoRetentionDays?: number | undefined; now: () => number },
  { status, source }: Pick<VideoRecord, 'status' | 'source'>,
): Pick<VideoRecord, 'expires_at'> & { [timeToLive]?: number } {
  if (videoRetentionDays === undefined || !isTerminal(status)) return {};
  const end = now() + videoRetentionDays * DAY_SECONDS * 1000;
  return {
    ...(status === 'succeeded' ? { expires_at: new Date(end).toISOString() } : {}),
    ...(source.type === 'api' ? { [timeToLive]: Math.ceil(end / 1000) + TOMBSTONE_DAYS * DAY_SECONDS } : {}),
  };
}

/** The attributes that a video loses when it is restarted. */
export const expiryAttributes = ['expires_at', timeToLive];

/** When a tombstone of now expires. */
export const tombstoneExpiry = (now: number): number => Math.floor(now / 1000) + TOMBSTONE_DAYS * DAY_SECONDS;

/** Whether an item has expired. DynamoDB deletes it up to days later, and until then returns it. */
export const isExpired = ({ [timeToLive]: ttl }: { [timeToLive]?: unknown }, now: number): boolean =>
  typeof ttl === 'number' && ttl * 1000 <= now;

/** Whether the file of a video has expired, whether or not S3 has deleted it yet. */
export const isFileExpired = ({ expires_at }: Pick<VideoRecord, 'expires_at'>, now: number): boolean =>
  expires_at !== undefined && Date.parse(expires_at) <= now;
