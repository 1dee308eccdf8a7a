import { writeVideoResult } from '../drops/write-result.ts';
import { typicalSecondsOf } from '../polling/durations.ts';
import { rateLimitedWan, wanWithMetrics } from '../polling/rate-limited-wan.ts';
import { type Dispatcher, dispatchOnFor } from '../queue/dispatch.ts';
import { limitsOf, type ModelPace } from '../queue/model-queue.ts';
import { createQueuePositionReader, type ReadQueuePosition } from '../queue/position.ts';
import type { Environment, LimitSettings } from '../shared/environment.ts';
import { describeError } from '../shared/logging.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { secretReader } from '../shared/secret.ts';
import type { AcceptServices, OnAccepted } from '../submissions/accept-request.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import { findModel, isModelName } from '../wan/catalogue.ts';
import { createWanClient, type WanClient } from '../wan/client/client.ts';
import type { Platform } from './platform.ts';

/** The table as every function has it. One that may end a video adds `withEndings`. */
export const openTable = (
  { TABLE_NAME }: Pick<Environment<'health'>, 'TABLE_NAME'>,
  { dynamoDb, clock }: Pick<Platform, 'dynamoDb' | 'clock'>,
): Table => ({ client: dynamoDb, tableName: TABLE_NAME, now: clock.now });

/** The table of a function that may end videos. @param copyVideo for the function that may end them well */
export const withEndedHook = (
  table: Table,
  platform: Pick<Platform, 's3' | 'recordMetric' | 'logger'>,
  { copyVideo = false } = {},
): Table => ({ ...table, onVideoEnded: onVideoEnded(table, platform, copyVideo) });

/**
 * What follows when a video ends, however it ends: its metrics, and a drop's result beside its image. A result that cannot be written
 * now is written by the sweep.
 */
const onVideoEnded =
  (table: Table, { s3, recordMetric, logger }: Pick<Platform, 's3' | 'recordMetric' | 'logger'>, copyVideo: boolean) =>
  async (video: VideoRecord): Promise<void> => {
    recordEnding(recordMetric, video);
    await writeVideoResult({ table, s3, copyVideo }, video).catch((error: unknown) =>
      logger.error('Failed to write the result of a drop', { ...describeError(error), video_id: video.id }),
    );
  };

function recordEnding(
  recordMetric: RecordMetric,
  { status, model, error, cost, created_at, updated_at }: VideoRecord,
): void {
  switch (status) {
    case 'succeeded':
      recordMetric('Succeeded', 1, { model });
      recordMetric('SecondsToFinish', (Date.parse(updated_at) - Date.parse(created_at)) / 1000, { model });
      if (cost) recordMetric('Spend', cost.amount, { model });
      break;
    case 'failed':
      recordMetric('Failed', 1, { code: error?.code ?? 'unknown' });
      break;
    case 'canceled':
      recordMetric('Canceled');
      break;
  }
}

/** Starts queued videos. */
export const createDispatcher = (
  environment: Pick<Environment<'dispatch'>, 'STATE_MACHINE_ARN' | 'LIMIT_SETTINGS'>,
  { stepFunctions }: Pick<Platform, 'stepFunctions'>,
  table: Table,
): Dispatcher => ({
  table,
  workflow: { client: stepFunctions, stateMachineArn: environment.STATE_MACHINE_ARN },
  limitsOf: (model) => modelLimitsOf(model, environment.LIMIT_SETTINGS),
});

/** A model's lane, as this deployment has it. @throws Error for a model that the catalogue does not have */
export function modelLimitsOf(model: string, limits: LimitSettings): ModelPace {
  if (!isModelName(model)) throw new Error(`There is no model ${model} in the catalogue, so it has no lane.`);
  return limitsOf(findModel(model), limits);
}

/** What accepting requests takes. */
export const createAcceptServices = (
  environment: Pick<
    Environment<'submit'>,
    'TRUSTED_ORIGINS' | 'UPLOADS_BUCKET' | 'WAN_REGION' | 'MONTHLY_SPENDING_LIMIT'
  >,
  { s3, recordMetric, logger }: Pick<Platform, 's3' | 'recordMetric' | 'logger'>,
  dispatcher: Dispatcher,
): AcceptServices => ({
  table: dispatcher.table,
  s3,
  trustedOrigins: environment.TRUSTED_ORIGINS,
  uploadsBucket: environment.UPLOADS_BUCKET,
  wanRegion: environment.WAN_REGION,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  recordMetric,
  dispatch: dispatchOnFor(dispatcher),
  onDispatchError: onDispatchError(logger),
});

export const onDispatchError =
  (logger: Pick<Platform['logger'], 'error'>) =>
  ({ id }: VideoRecord, error: unknown): void =>
    logger.error('Failed to dispatch a video; it stays queued for now', { ...describeError(error), video_id: id });

/** One line for each request that was accepted: neither its owner nor what the video shows belongs into a log. */
export const onAccepted =
  (logger: Pick<Platform['logger'], 'info'>): OnAccepted =>
  ({ video: { id, model, source, status }, created }) =>
    logger.info(created ? 'Created a video' : 'Received a repeated request', {
      video_id: id,
      model,
      source: source.type,
      status,
    });

/** The places of queued videos. A place that cannot be found is left out of the answer, and logged. */
export const createQueuePositions = (
  environment: Pick<Environment<'submit'>, 'LIMIT_SETTINGS' | 'TYPICAL_SECONDS'>,
  { logger }: Pick<Platform, 'logger'>,
  table: Table,
): ReadQueuePosition =>
  createQueuePositionReader({
    table,
    paceOf: (model) => modelLimitsOf(model, environment.LIMIT_SETTINGS),
    typicalSeconds: (video) => typicalSecondsOf(table, video, environment.TYPICAL_SECONDS),
    onError: (video, error) =>
      logger.warn('Failed to find the place of a video in the queue', { ...describeError(error), video_id: video.id }),
  });

type WanEnvironment = Environment<'canary'>;

/** Reads Wan's key from the secret when it is needed. */
export const wanKeyOf = (
  { WAN_SECRET_ARN }: Pick<WanEnvironment, 'WAN_SECRET_ARN'>,
  { secrets, clock }: Pick<Platform, 'secrets' | 'clock'>,
): (() => Promise<string>) => secretReader(secrets, WAN_SECRET_ARN, clock.now);

/** Wan, as fast as it is asked. @param queryTimeout in milliseconds. @default the client's */
export const wanOf = (
  environment: Pick<WanEnvironment, 'WAN_BASE_URL' | 'WAN_SECRET_ARN'>,
  platform: Pick<Platform, 'secrets' | 'clock' | 'fetch'>,
  {
    apiKey = wanKeyOf(environment, platform),
    queryTimeout,
  }: { apiKey?: () => Promise<string>; queryTimeout?: number } = {},
): WanClient =>
  createWanClient({
    baseUrl: environment.WAN_BASE_URL,
    apiKey,
    fetch: platform.fetch,
    ...(queryTimeout === undefined ? {} : { timeouts: { query: queryTimeout } }),
  });

/** Wan as the workflow asks it: all functions together within its rate limit. */
export const rateLimitedWanOf = (
  environment: Pick<Environment<'watch'>, 'WAN_BASE_URL' | 'WAN_SECRET_ARN' | 'WAN_QUERIES_PER_SECOND'>,
  platform: Pick<Platform, 'secrets' | 'clock' | 'fetch' | 'recordMetric'>,
  table: Table,
): WanClient =>
  rateLimitedWan(wanWithMetrics(wanOf(environment, platform), platform.recordMetric), {
    table,
    perSecond: environment.WAN_QUERIES_PER_SECOND,
    sleep: platform.clock.sleep,
  });
