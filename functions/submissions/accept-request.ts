import type { S3Client } from '@aws-sdk/client-s3';
import { isWithinLimit, readSpending, type Spending } from '../ledger/spending.ts';
import { type SafeDispatch, tryDispatch } from '../queue/dispatch.ts';
import type { Caller } from '../shared/caller.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { ProblemError } from '../shared/problem.ts';
import { isTombstone, tombstoneUncreated } from '../video/deletion.ts';
import { monthOf, type Source, type VideoRecord } from '../video/record.ts';
import { type Creation, createVideo, fromItem, newVideo, readVideo } from '../video/store.ts';
import { readItem, type Table } from '../video/table.ts';
import { estimatedCost, type Price } from '../wan/prices.ts';
import type { Region } from '../wan/regions.ts';
import type { S3Prefixes } from '../wan/validation/urls.ts';
import { type CheckedBody, checkBody } from './check-body.ts';
import { fingerprint, type Identity, idempotencyConflict } from './identity.ts';
import { type InspectedMedia, inspectMedia, storeMedia } from './media.ts';

/** What taking a request takes; `intakeOf` builds it. */
export interface AcceptServices extends SafeDispatch, SpendingRules {
  s3: Pick<S3Client, 'send'>;
  trustedOrigins: readonly string[];
  /** Where uploads are, and where a video's own media go. */
  uploadsBucket: string;
  wanRegion: Region;
  recordMetric: RecordMetric;
}

interface Given {
  /** Parsed JSON. */
  body: unknown;
  mode: 'strict' | 'tolerant';
  identity: Identity;
  caller: Caller;
  /** @default the API, by the caller's key */
  source?: Source;
  /** Where else than among the caller's uploads the media may lie, by field. @default nowhere */
  s3Prefixes?: S3Prefixes;
}

interface Wanted extends Pick<CheckedBody, 'request' | 'warnings'> {
  price: Price | undefined;
  media: InspectedMedia;
  request_hash: string;
}

/**
 * Takes a request for a video: checks it, keeps its media, writes its record, lets the lane have it. The same identity means the
 * same video, however often and at once it comes (invariant 2): a repetition gets the video as it stands, and needs neither the
 * files it named, nor money left, nor a model that is still offered.
 * @returns the video after its lane had a look at it, and whether this call made it
 * @throws Problem 400 with all issues at once, 403 at the spending limit, 409 for an identity that came with another body, 410
 *   for one whose video was deleted, 413 for a large inline picture
 */
export async function acceptRequest(
  services: AcceptServices,
  given: Given,
): Promise<{ video: VideoRecord; created: boolean }> {
  const { body, identity } = given;
  const request_hash = fingerprint(body);
  // Both at once; but what stands is the answer, whatever is thought of its request by now.
  const [item, planned] = await Promise.allSettled([
    identity.repeatable ? readItem(services.table, identity.id) : undefined,
    plan(services, given),
  ]);
  if (item.status === 'rejected') throw item.reason;
  if (item.value) return existing(services, isTombstone(item.value) ? undefined : fromItem(item.value), request_hash);
  if (planned.status === 'rejected') throw planned.reason;
  const media = await inspectMedia(services.s3, planned.value.request, planned.value.image);
  const wanted = { ...planned.value, media, request_hash };
  const creation = await create(services, given, wanted).catch(async (error) => {
    await abandonMedia(services, given, media);
    throw error;
  });
  if (creation.outcome !== 'created')
    return existing(services, creation.outcome === 'deleted' ? undefined : creation.video, request_hash);
  services.recordMetric('Submitted', 1, { model: creation.video.model, source: creation.video.source.type });
  return { video: await tryDispatchVideo(services, creation.video), created: true };
}

/** What a request asks for and what that may cost. @throws Problem 400, 403, 413 */
async function plan(services: AcceptServices, { body, mode, s3Prefixes, caller: { owner } }: Given) {
  const checked = checkBody(body, { ...services, mode, owner, s3Prefixes });
  const price = estimatedCost(checked.request, services.wanRegion);
  await refuseOverspending(services, owner, price);
  return { ...checked, price };
}

/** Keeps the media, then writes the record that names them. */
async function create(
  { table, s3, uploadsBucket: bucket }: AcceptServices,
  { identity: { id }, caller: { owner, key_id }, source = { type: 'api', key_id } }: Given,
  { request, warnings, price, media, request_hash }: Wanted,
): Promise<Creation> {
  const { model, input, parameters, metadata } = request;
  const kept = await storeMedia({ s3, bucket }, id, media);
  const video = newVideo(
    {
      id,
      owner,
      source,
      model,
      input: {
        ...input,
        ...(kept.image ? { img_url: urlOf(kept.image) } : {}),
        ...(kept.audio ? { audio_url: urlOf(kept.audio) } : {}),
      },
      parameters,
      metadata,
      warnings,
      request_hash,
      ...kept,
      ...(price ? { estimated_cost: price } : {}),
    },
    table.now(),
  );
  return createVideo(table, video);
}

/**
 * Has the media deleted that may have been stored for a record that could not be written. A repetition of the request would find
 * them; where there can be none, its id is given up, and the sweep deletes them as a deleted video's. While the table is away they
 * stay: nobody may delete what a record may name.
 */
async function abandonMedia(
  { table }: AcceptServices,
  { identity: { id, repeatable }, caller: { owner } }: Given,
  { inline, image, audio }: InspectedMedia,
): Promise<void> {
  if (repeatable || !(inline ?? image ?? audio)) return;
  await tombstoneUncreated(table, { id, owner }).catch(() => undefined);
}

/** The answer to a repetition. @param video undefined for one that was deleted */
async function existing(
  services: AcceptServices,
  video: VideoRecord | undefined,
  request_hash: string,
): Promise<{ video: VideoRecord; created: boolean }> {
  if (!video) throw videoDeleted();
  if (video.request_hash !== request_hash) throw idempotencyConflict();
  return { video: await tryDispatchVideo(services, video), created: false };
}

/** A waiting video after its lane had a look at it. Its record stands: an error now would make a caller pay for a second one. */
async function tryDispatchVideo(services: AcceptServices, video: VideoRecord): Promise<VideoRecord> {
  if (video.status !== 'queued') return video;
  await tryDispatch(services, video);
  return (await readVideo(services.table, video.id).catch(() => undefined)) ?? video;
}

const urlOf = ({ bucket, key }: { bucket: string; key: string }): string => `s3://${bucket}/${key}`;

/** The 410 for an identity whose video is gone for good. */
export const videoDeleted = () =>
  new ProblemError(410, {
    code: 'video_deleted',
    title: 'The video of this request was deleted.',
    detail: 'Nothing was made anew. Send the request with another Idempotency-Key for a new video.',
  });

export interface SpendingRules {
  table: Table;
  /** What an owner may spend in a calendar month, in the region's currency; undefined means as much as they like. */
  monthlySpendingLimit: number | undefined;
}

/**
 * Refuses a video that its owner can't afford this month, as far as is known now: concurrent requests race past this, and none
 * past its reservation later.
 * @param price undefined where none is known: nothing is counted then
 * @throws Problem 403
 */
export async function refuseOverspending(
  { table, monthlySpendingLimit: limit }: SpendingRules,
  owner: string,
  price: Price | undefined,
): Promise<void> {
  if (limit === undefined || !price) return;
  const month = monthOf(table.now());
  const spending = await readSpending(table, owner, month);
  if (!isWithinLimit(spending, price, limit)) throw spendingLimitReached(limit, month, spending, price);
}

/** The 403 for a video that would cost more than its owner may still spend this month (`YYYY-MM`). */
function spendingLimitReached(limit: number, month: string, { spent, reserved }: Spending, price: Price): ProblemError {
  const amount = (figure: number) => `${Number(figure.toFixed(2))} ${price.currency}`;
  return new ProblemError(403, {
    code: 'spending_limit_reached',
    title: 'The spending limit does not allow this video.',
    detail:
      `The limit for ${month} is ${amount(limit)}: ${amount(spent)} are spent, ${amount(reserved)} are reserved for videos ` +
      `under way, and this one may cost ${amount(price.amount)}. Ask for a shorter or smaller video or a cheaper model, wait for ` +
      'the next month (UTC), or have the limit raised. GET /usage tells how it stands.',
  });
}

/** Told of each request that was taken. */
export type OnAccepted = (taken: { video: VideoRecord; created: boolean }) => void;
