import type { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient, SFNClientConfig } from '@aws-sdk/client-sfn';
import { tellResult } from '../drops/write-result.ts';
import { estimateOf } from '../polling/duration-estimate.ts';
import { type Dispatcher, dispatchOne } from '../queue/dispatch.ts';
import { laneOf, type Pace } from '../queue/model-queue.ts';
import { type PlaceInQueue, placeInQueueOf } from '../queue/position.ts';
import type { LaneLimits } from '../shared/environment.ts';
import { type createLogger, describeError } from '../shared/logging.ts';
import type { Measure } from '../shared/metrics.ts';
import type { IntakeServices, LogTaken } from '../submissions/accept-request.ts';
import { type MediaStore, storeImage } from '../submissions/media.ts';
import { checkUploadedImage, checkUploadedSound, copyUpload } from '../submissions/uploads.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import { findModel, isModelName } from '../wan/catalogue.ts';
import type { Region } from '../wan/regions.ts';

/** The media of requests, in the uploads bucket. */
export const mediaStoreOf = (s3: Pick<S3Client, 'send'>, bucket: string): MediaStore => ({
  storeImage: (id, image) => storeImage(s3, bucket, id, image),
  checkImage: (url, limits) => checkUploadedImage(s3, url, limits),
  checkSound: (url) => checkUploadedSound(s3, url),
  copyUpload: (upload, id) => copyUpload(s3, upload, id),
});

/** What taking requests takes, from what a Lambda is told. */
export function intakeOf(
  environment: {
    TRUSTED_ORIGINS: readonly string[];
    UPLOADS_BUCKET: string;
    WAN_REGION: Region;
    MONTHLY_SPENDING_LIMIT?: number | undefined;
  },
  dispatcher: Dispatcher,
  s3: Pick<S3Client, 'send'>,
  { measure, logUndispatched }: { measure: Measure; logUndispatched: (video: VideoRecord, error: unknown) => void },
): IntakeServices {
  return {
    table: dispatcher.table,
    media: mediaStoreOf(s3, environment.UPLOADS_BUCKET),
    trustedOrigins: environment.TRUSTED_ORIGINS,
    uploadsBucket: environment.UPLOADS_BUCKET,
    wanRegion: environment.WAN_REGION,
    monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
    measure,
    dispatch: dispatchOne(dispatcher),
    logUndispatched,
  };
}

/** One line for a request that was taken: whose video it is nobody needs to read there, nor what it shows. */
export const logTakenTo =
  (logger: Pick<Logger, 'info'>): LogTaken =>
  ({ video: { id, model, source, status }, created }) =>
    logger.info(created ? 'A video was asked for.' : 'A request was repeated: its video stands.', {
      video_id: id,
      model,
      source: source.type,
      status,
    });

/** The places of waiting videos, from what a Lambda is told. A place that can't be told is missing from its answer, and logged. */
export const placesOf = (
  environment: { LANE_LIMITS: LaneLimits; TYPICAL_SECONDS?: number | undefined },
  table: Table,
  logger: Pick<ReturnType<typeof createLogger>, 'warn'>,
): PlaceInQueue =>
  placeInQueueOf({
    table,
    paceOf: (model) => catalogueLane(model, environment.LANE_LIMITS),
    typicalSeconds: async (video) => (await estimateOf(table, video, environment.TYPICAL_SECONDS)).typical_seconds,
    logUnplaced: (video, error) =>
      logger.warn('A place in the queue is not told.', { ...describeError(error), video_id: video.id }),
  });

/**
 * How long a start of a workflow is waited for while a caller waits for the answer. The record stands without it: two attempts of
 * 5 s stay well within the gateway's 29.
 */
export const startPatience: SFNClientConfig = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
};

/** A dispatcher from what a Lambda is told. */
export function dispatcherOf(
  environment: { STATE_MACHINE_ARN: string; LANE_LIMITS: LaneLimits },
  table: Table,
  client: Pick<SFNClient, 'send'>,
): Dispatcher {
  return {
    table,
    workflow: { client, stateMachineArn: environment.STATE_MACHINE_ARN },
    laneOf: (model) => catalogueLane(model, environment.LANE_LIMITS),
  };
}

/** A model's lane, as this deployment has it. @throws Error for a model that the catalogue does not have */
export function catalogueLane(model: string, limits: LaneLimits): Pace {
  if (!isModelName(model)) throw new Error(`There is no model ${model} in the catalogue, so it has no lane.`);
  return laneOf(findModel(model), limits);
}

/**
 * The table as every function has it that may end a video: what follows an ending follows by itself.
 * @param copyVideo only for who may end a video well
 */
export const watchedTable = (
  table: Table,
  {
    s3,
    measure,
    logger,
    copyVideo = false,
  }: { s3: Pick<S3Client, 'send'>; measure: Measure; logger: Pick<Logger, 'error'>; copyVideo?: boolean },
): Table =>
  watchEndings(table, {
    measure,
    tellResult: (video) => tellResult({ table, s3, copyVideo }, video),
    logUntold: (video, error) =>
      logger.error('What became of a drop is not told for now.', { ...describeError(error), video_id: video.id }),
  });

interface EndingServices {
  measure: Measure;
  /** Writes a drop's outcome beside it; does nothing for any other video. */
  tellResult: (video: VideoRecord) => Promise<void>;
  /** Told of a result that could not be written: the sweep writes it. */
  logUntold: (video: VideoRecord, error: unknown) => void;
}

/** A table that sees to what follows when a video ends: its figures are told, and a drop's outcome is written beside it. */
export const watchEndings = (table: Table, { measure, tellResult, logUntold }: EndingServices): Table => ({
  ...table,
  async ended(video) {
    measureEnding(measure, video);
    await tellResult(video).catch((error: unknown) => logUntold(video, error));
  },
});

function measureEnding(measure: Measure, { status, model, error, cost, created_at, updated_at }: VideoRecord): void {
  switch (status) {
    case 'succeeded':
      measure('Succeeded', 1, { model });
      measure('SecondsToFinish', (Date.parse(updated_at) - Date.parse(created_at)) / 1000, { model });
      if (cost) measure('Spend', cost.amount, { model });
      break;
    case 'failed':
      measure('Failed', 1, { code: error?.code ?? 'unknown' });
      break;
    case 'canceled':
      measure('Canceled');
      break;
  }
}
