import type { S3Client } from '@aws-sdk/client-s3';
import { isWithinLimit, readSpending, type Spending } from '../ledger/spending.ts';
import type { RotatedImages } from '../media/image.ts';
import { type SafeDispatch, tryDispatch } from '../queue/dispatch.ts';
import type { Caller } from '../shared/caller.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { ProblemError } from '../shared/problem.ts';
import { isTombstone, tombstoneUncreated } from '../video/deletion.ts';
import { monthOf, type Source, type VideoRecord } from '../video/record.ts';
import { type Creation, createVideo, fromItem, newVideo, readVideo } from '../video/store.ts';
import { readItem, type Table } from '../video/table.ts';
import { kindOfMedia } from '../wan/media.ts';
import { type Deployment, estimatedCost, type Price } from '../wan/prices.ts';
import type { VideoRequest } from '../wan/validation/request.ts';
import { type CheckedBody, checkBody } from './check-body.ts';
import { fingerprint, type Identity, idempotencyConflict, withoutWebhook } from './identity.ts';
import { inspectMedia, isUpload, type RequestMedia, storeMedia } from './media.ts';
import type { DerivedRequest } from './uploads.ts';

/** The services that `acceptRequest` uses. */
export interface AcceptServices extends SafeDispatch, SpendingRules {
  s3: Pick<S3Client, 'send'>;
  trustedOrigins: readonly string[];
  /** @default `accept` */
  rotatedImages?: RotatedImages;
  /** Whether webhooks may go to this computer. @default false */
  loopbackWebhooks?: boolean;
  /** Holds the uploads and each video's own media. */
  uploadsBucket: string;
  deployment: Deployment;
  recordMetric: RecordMetric;
}

export interface Submission {
  /** Parsed JSON. */
  body: unknown;
  /** Makes the request from `body` and another video. Not called for a repeated request. */
  derive?: () => Promise<DerivedRequest>;
  /** How many videos of this price must fit into the spending limit; 0 if an earlier call checked it. @default 1 */
  copies?: number;
  mode: 'strict' | 'tolerant';
  identity: Identity;
  caller: Caller;
  /** @default the API, by the caller's key */
  source?: Source;
  /** The id of the HTTP request that the caller received, for a video from the API. */
  request_id?: string | undefined;
  /** A further allowed prefix of `s3://` URLs besides the caller's uploads. @default none */
  s3Prefix?: string;
}

interface Plan extends Pick<CheckedBody, 'request' | 'warnings'> {
  price: Price | undefined;
  files: RequestMedia;
  derived_from?: string | undefined;
  request_hash: string;
}

/**
 * Accepts a request for a video: checks it, stores its media, writes its record and dispatches it. Idempotent (invariant 2): a
 * repeated request returns the existing video without checking uploads, budget or model again.
 * @returns the video after the dispatch, and whether this call created it
 * @throws ProblemError 400 with all issues, 403 at the spending limit, 409 for an identity that was used with another body, 410 for a
 *   deleted video, 413 for a large inline image
 */
export async function acceptRequest(
  services: AcceptServices,
  submission: Submission,
): Promise<{ video: VideoRecord; created: boolean }> {
  const { body, identity } = submission;
  const request_hash = fingerprint(submission.source?.type === 'manifest' ? withoutWebhook(body) : body);
  // Runs both concurrently. An existing video is returned even if its request would be refused today.
  const [item, planned] = await Promise.allSettled([
    identity.repeatable ? readItem(services.table, identity.id) : undefined,
    plan(services, submission),
  ]);
  if (item.status === 'rejected') throw item.reason;
  if (item.value) return existing(services, isTombstone(item.value) ? undefined : fromItem(item.value), request_hash);
  if (planned.status === 'rejected') throw planned.reason;
  const measured = { ...(await measure(services, submission, planned.value)), request_hash };
  const creation = await create(services, submission, measured).catch(async (error) => {
    await abandonMedia(services, submission, measured.files);
    throw error;
  });
  if (creation.outcome !== 'created')
    return existing(services, creation.outcome === 'deleted' ? undefined : creation.video, request_hash);
  services.recordMetric('Submitted', 1, { model: creation.video.model, source: creation.video.source.type });
  return { video: await tryDispatchVideo(services, creation.video), created: true };
}

/** Checks and prices a request as `acceptRequest` does, but stores and reserves nothing and ignores the spending limit. */
export async function checkOnly(
  services: AcceptServices,
  given: Submission,
): Promise<Pick<Plan, 'request' | 'warnings' | 'price'>> {
  const submission = { ...given, copies: 0 };
  return measure(services, submission, await plan(services, submission));
}

type Checked = Awaited<ReturnType<typeof plan>>;

/** Inspects the files of a checked request, and prices it if its price depends on them. @throws ProblemError 400, 403 */
async function measure(services: AcceptServices, submission: Submission, checked: Checked) {
  const files = await inspectMedia(services.s3, checked, services.rotatedImages);
  const price = checked.price ?? (await affordablePrice(services, submission, checked.request, files));
  const { request, derived_from } = checked;
  return { request, derived_from, price, files, warnings: [...checked.warnings, ...files.warnings] };
}

/** Checks a request and, unless that depends on uploaded videos, its price. @throws ProblemError 400, 403, 413 */
async function plan(services: AcceptServices, submission: Submission) {
  const { mode, s3Prefix, caller, derive } = submission;
  const {
    body,
    files,
    derived_from,
    warnings = [],
  } = derive ? await derive() : { body: submission.body, files: undefined, derived_from: undefined };
  const checked = checkBody(body, { ...services, mode, owner: caller.owner, s3Prefix, files });
  const isMeasured = !checked.media.some((item) => kindOfMedia(item.type) === 'video' && isUpload(item));
  const price = isMeasured ? await affordablePrice(services, submission, checked.request, checked) : undefined;
  return { ...checked, warnings: [...warnings, ...checked.warnings], files, derived_from, price };
}

/** Returns the price of a request. @throws ProblemError 403 when it would exceed the owner's limit */
async function affordablePrice(
  services: AcceptServices,
  { caller: { owner }, copies = 1 }: Submission,
  request: VideoRequest,
  { media }: Pick<RequestMedia, 'media'>,
): Promise<Price | undefined> {
  const measured = media.map(({ type, file }) => ({ type, duration_seconds: file?.facts.duration_seconds }));
  const price = estimatedCost(request, measured, services.deployment);
  if (price && copies > 0) await refuseOverspending(services, owner, { ...price, amount: price.amount * copies });
  return price;
}

/** Stores the media, then writes the record that refers to them. */
async function create(
  { table, s3, uploadsBucket: bucket }: AcceptServices,
  { identity: { id }, caller: { owner, key_id }, request_id, source }: Submission,
  { request, warnings, price, files, derived_from, request_hash }: Plan,
): Promise<Creation> {
  const { model, family, input, parameters, metadata, webhook } = request;
  const media = await storeMedia({ s3, bucket }, id, files);
  const video = newVideo(
    {
      id,
      owner,
      source: source ?? { type: 'api', key_id, ...(request_id ? { request_id } : {}) },
      model,
      ...(family ? { family } : {}),
      input: { ...input, media },
      parameters,
      metadata,
      ...(webhook ? { webhook } : {}),
      warnings,
      request_hash,
      ...(price ? { estimated_cost: price } : {}),
      ...(derived_from ? { derived_from } : {}),
    },
    table.now(),
  );
  return createVideo(table, video);
}

/**
 * Writes a tombstone if the record could not be written, so that the sweep deletes its stored media. A repeatable request keeps
 * them: its retry finds them. If DynamoDB fails they are kept as well, since a record may refer to them.
 */
async function abandonMedia(
  { table }: AcceptServices,
  { identity: { id, repeatable }, caller: { owner } }: Submission,
  { media }: RequestMedia,
): Promise<void> {
  if (repeatable || !media.some(({ file }) => file)) return;
  await tombstoneUncreated(table, { id, owner }).catch(() => undefined);
}

/** Returns the video of a repeated request. @param video undefined if it was deleted @throws ProblemError 409, 410 */
async function existing(
  services: AcceptServices,
  video: VideoRecord | undefined,
  request_hash: string,
): Promise<{ video: VideoRecord; created: boolean }> {
  if (!video) throw videoDeleted();
  if (video.request_hash !== request_hash) throw idempotencyConflict();
  return { video: await tryDispatchVideo(services, video), created: false };
}

/** Dispatches a queued video. Never throws: the record exists, so an error would make the caller resubmit and pay twice. */
async function tryDispatchVideo(services: AcceptServices, video: VideoRecord): Promise<VideoRecord> {
  if (video.status !== 'queued') return video;
  await tryDispatch(services, video);
  return (await readVideo(services.table, video.id).catch(() => undefined)) ?? video;
}

/** The 410 for an identity whose video was deleted. */
export const videoDeleted = () =>
  new ProblemError(410, {
    code: 'video_deleted',
    title: 'The video of this request was deleted.',
    detail: 'No new video was created. To create one, send the request with another Idempotency-Key.',
  });

export interface SpendingRules {
  table: Table;
  /** Limit per owner and calendar month, in the region's currency; undefined means no limit. */
  monthlySpendingLimit: number | undefined;
}

/**
 * Refuses a video that would exceed the owner's monthly limit. Only an early check: concurrent requests can all pass it, but the
 * reservation before the submission enforces the limit.
 * @param price undefined for an unknown price, which is not counted
 * @throws ProblemError 403
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

/** The 403 for a video that would exceed the monthly limit. @param month `YYYY-MM` */
function spendingLimitReached(limit: number, month: string, { spent, reserved }: Spending, price: Price): ProblemError {
  const amount = (value: number) => `${Number(value.toFixed(2))} ${price.currency}`;
  return new ProblemError(403, {
    code: 'spending_limit_reached',
    title: 'The spending limit does not allow this video.',
    detail:
      `The limit for ${month} is ${amount(limit)}: ${amount(spent)} are spent, ${amount(reserved)} are reserved for videos ` +
      `in progress, and this request may cost ${amount(price.amount)}. Request a shorter or smaller video or a cheaper model, wait ` +
      'for the next month (UTC), or have the limit raised. GET /usage shows the current spending.',
  });
}

/** Called for each accepted request. */
export type OnAccepted = (accepted: { video: VideoRecord; created: boolean }) => void;
