import { estimatedCost } from '../video/estimated-cost.ts';
import { monthOf, newVideo } from '../video/new-video.ts';
import { readItem } from '../video/read-item.ts';
import type { VideoRecord } from '../video/record.ts';
import { isWithinLimit, readSpending } from '../video/spending.ts';
import { createVideo, fromItem, readVideo, type Table } from '../video/store.ts';
import { isTombstone } from '../video/tombstone.ts';
import type { Price } from '../wan/prices.ts';
import type { Region } from '../wan/regions.ts';
import { dispatchQuietly, type QuietDispatch } from '../workflow/dispatch-quietly.ts';
import { checkBody } from './check-body.ts';
import type { Caller } from './http.ts';
import { fingerprint, type Identity, idempotencyConflict } from './idempotency.ts';
import { keepMedia, type MediaStore } from './keep-media.ts';
import { Problem } from './problem.ts';
import { spendingLimitReached } from './spending-limit.ts';

/** What taking a request takes; `intakeOf` builds it. */
export interface IntakeServices extends QuietDispatch {
  table: Table;
  media: MediaStore;
  trustedOrigins: readonly string[];
  uploadsBucket: string;
  wanRegion: Region;
  /** What an owner may spend in a calendar month, in the region's currency; undefined means as much as they like. */
  monthlySpendingLimit: number | undefined;
}

/**
 * Takes a request for a video: checks it, keeps its media, writes its record, lets the lane have it. The same identity means the
 * same video, however often and at once it comes (invariant 2): a repetition gets the video as it stands, and needs neither the
 * files it named nor money left.
 * @param given.body parsed JSON
 * @returns the video after its lane had a look at it, and whether this call made it
 * @throws Problem 400 with all violations at once, 403 at the spending limit, 409 for an identity that came with another body, 410
 *   for one whose video was deleted, 413 for a large inline picture
 */
export async function takeRequest(
  services: IntakeServices,
  given: { body: unknown; mode: 'strict' | 'tolerant'; identity: Identity; caller: Caller },
): Promise<{ video: VideoRecord; created: boolean }> {
  const { table } = services;
  const { body, mode, identity, caller } = given;
  const { id } = identity;
  const { request, warnings, image } = checkBody(body, { ...services, mode, owner: caller.owner });
  const request_hash = fingerprint(body);
  const price = estimatedCost(request, services.wanRegion);
  const [item, overspending] = await Promise.all([
    identity.repeatable ? readItem(table, id) : undefined,
    overspendingOf(services, caller, price),
  ]);
  if (item) return standing(services, isTombstone(item) ? undefined : fromItem(item), request_hash);
  if (overspending) throw overspending;
  const { model, input, parameters, metadata } = request;
  const media = await keepMedia(services.media, id, request, image);
  const video = newVideo(
    {
      id,
      owner: caller.owner,
      source: { type: 'api', key_id: caller.key_id },
      model,
      input: {
        ...input,
        ...(media.image ? { img_url: urlOf(media.image) } : {}),
        ...(media.sound ? { audio_url: urlOf(media.sound) } : {}),
      },
      parameters,
      metadata,
      warnings,
      request_hash,
      ...media,
      ...(price ? { estimated_cost: price } : {}),
    },
    table.now(),
  );
  const creation = await createVideo(table, video);
  if (creation.outcome === 'created') return { video: await dispatched(services, video), created: true };
  return standing(services, creation.outcome === 'standing' ? creation.video : undefined, request_hash);
}

/** The answer to a repetition. @param video undefined for one that was deleted */
async function standing(
  services: IntakeServices,
  video: VideoRecord | undefined,
  request_hash: string,
): Promise<{ video: VideoRecord; created: boolean }> {
  if (!video) throw videoDeleted();
  if (video.request_hash !== request_hash) throw idempotencyConflict();
  return { video: await dispatched(services, video), created: false };
}

/** The problem of an owner who can't afford the video; concurrent requests race past this, and none past its reservation later. */
async function overspendingOf(
  { table, monthlySpendingLimit: limit }: IntakeServices,
  { owner }: Caller,
  price: Price | undefined,
): Promise<Problem | undefined> {
  if (limit === undefined || !price) return undefined;
  const month = monthOf(table.now());
  const spending = await readSpending(table, owner, month);
  return isWithinLimit(spending, price, limit) ? undefined : spendingLimitReached(limit, month, spending, price);
}

/** A waiting video after its lane had a look at it. Its record stands: an error now would make a caller pay for a second one. */
async function dispatched(services: IntakeServices, video: VideoRecord): Promise<VideoRecord> {
  if (video.status !== 'queued') return video;
  await dispatchQuietly(services, video);
  return (await readVideo(services.table, video.id).catch(() => undefined)) ?? video;
}

const urlOf = ({ bucket, key }: { bucket: string; key: string }): string => `s3://${bucket}/${key}`;

/** The 410 for an identity whose video is gone for good. */
export const videoDeleted = () =>
  new Problem(410, {
    code: 'video_deleted',
    title: 'The video of this request was deleted.',
    detail: 'Nothing was made anew. Send the request with another Idempotency-Key for a new video.',
  });
