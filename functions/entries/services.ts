import { withCors } from '../api/http/cors.ts';
import { apiHandler, keepRate, logContext } from '../api/http/handler.ts';
import { type ConfiguredSeconds, typicalSecondsOf } from '../polling/durations.ts';
import { rateLimitedWan, wanWithMetrics } from '../polling/rate-limited-wan.ts';
import { createVideoDispatch, type Dispatcher } from '../queue/dispatch.ts';
import { limitsOf, type ModelPace } from '../queue/model-queue.ts';
import { createQueuePositionReader, type ReadQueuePosition } from '../queue/position.ts';
import { type AdmitRequest, createRequestLimiter } from '../queue/rate-limiter.ts';
import type { Environment, LimitSettings } from '../shared/environment.ts';
import { describeError, inContext } from '../shared/logging.ts';
import { type SecretReader, secretReader } from '../shared/secret.ts';
import type { AcceptServices, OnAccepted } from '../submissions/accept-request.ts';
import { currentChanges } from '../video/catalogue-changes.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import { type CatalogueChanges, catalogueChanges, changeOf, rowOf } from '../wan/changes.ts';
import { createWanClient, type WanClient } from '../wan/client/client.ts';
import type { Deployment } from '../wan/prices.ts';
import type { Platform } from './platform.ts';

/** Returns the table. Functions that change the status of videos use `openTableWithEvents` or `openTableWithEndings`. */
export const openTable = (
  {
    TABLE_NAME,
    VIDEO_RETENTION_DAYS,
  }: Pick<Environment<'health'>, 'TABLE_NAME'> & Partial<Environment<'record-failure'>>,
  { dynamoDb, clock }: Pick<Platform, 'dynamoDb' | 'clock'>,
): Table => ({ client: dynamoDb, tableName: TABLE_NAME, now: clock.now, videoRetentionDays: VIDEO_RETENTION_DAYS });

/** Returns the services of dispatch. */
export const createDispatcher = (
  environment: Pick<Environment<'dispatch'>, 'STATE_MACHINE_ARN' | 'LIMIT_SETTINGS' | 'CATALOGUE'>,
  { stepFunctions }: Pick<Platform, 'stepFunctions'>,
  table: Table,
): Dispatcher => ({
  table,
  workflow: { client: stepFunctions, stateMachineArn: environment.STATE_MACHINE_ARN },
  limitsOf: limitsReader(environment, table),
});

/** Returns a reader of what the file and operators change in the catalogue, at most 60 s old. */
export function changesReader(
  { CATALOGUE }: Pick<Environment<'dispatch'>, 'CATALOGUE'>,
  table: Table,
): () => Promise<CatalogueChanges> {
  const file = catalogueChanges.parse(CATALOGUE);
  return () => currentChanges(table, file);
}

/** Returns a reader of the current limits of a model. It throws when the catalogue lacks the model. */
function limitsReader(environment: Pick<Environment<'dispatch'>, 'LIMIT_SETTINGS' | 'CATALOGUE'>, table: Table) {
  const readChanges = changesReader(environment, table);
  return async (model: string): Promise<ModelPace> =>
    modelLimitsOf(model, environment.LIMIT_SETTINGS, await readChanges());
}

/** Returns the limits of a model in this deployment. @throws Error when the catalogue lacks the model */
export function modelLimitsOf(model: string, limits: LimitSettings, changes: CatalogueChanges = {}): ModelPace {
  const row = rowOf(model, changes);
  if (!row) throw new Error(`The catalogue has no model ${model}.`);
  return limitsOf(row, limits, changeOf(model, changes).limits);
}

type DeploymentEnvironment = Pick<
  Environment<'submit'>,
  'WAN_REGION' | 'WAN_BASE_URL' | 'MODEL_PRICES' | 'WATERMARK' | 'CATALOGUE'
>;

/** Returns what decides which models are offered, and their prices, without what operators changed. */
export const deploymentOf = ({
  WAN_REGION,
  WAN_BASE_URL,
  MODEL_PRICES,
  WATERMARK,
  CATALOGUE,
}: DeploymentEnvironment): Deployment => ({
  region: WAN_REGION,
  base_url: WAN_BASE_URL,
  prices: MODEL_PRICES,
  watermark: WATERMARK,
  changes: catalogueChanges.parse(CATALOGUE),
});

/** Returns a reader of what decides which models are offered, and their prices: one value for each invocation. */
export function deploymentReader(environment: DeploymentEnvironment, table: Table): () => Promise<Deployment> {
  const deployment = deploymentOf(environment);
  const readChanges = changesReader(environment, table);
  return async () => ({ ...deployment, changes: await readChanges(), now: table.now() });
}

/** Returns a reader of the configured durations of tasks. */
export function secondsReader(
  environment: Pick<Environment<'submit'>, 'TYPICAL_SECONDS' | 'CATALOGUE'>,
  table: Table,
): () => Promise<ConfiguredSeconds> {
  const readChanges = changesReader(environment, table);
  return async () => environment.TYPICAL_SECONDS ?? readChanges();
}

/** Returns the services of accepting requests, to which each invocation adds its deployment. */
export const createAcceptServices = (
  environment: Pick<
    Environment<'submit'>,
    'TRUSTED_ORIGINS' | 'ROTATED_IMAGES' | 'LOOPBACK_WEBHOOKS' | 'UPLOADS_BUCKET' | 'MONTHLY_SPENDING_LIMIT'
  >,
  { s3, recordMetric, logger }: Pick<Platform, 's3' | 'recordMetric' | 'logger'>,
  dispatcher: Dispatcher,
): Omit<AcceptServices, 'deployment'> => ({
  table: dispatcher.table,
  s3,
  trustedOrigins: environment.TRUSTED_ORIGINS,
  rotatedImages: environment.ROTATED_IMAGES,
  loopbackWebhooks: environment.LOOPBACK_WEBHOOKS,
  uploadsBucket: environment.UPLOADS_BUCKET,
  monthlySpendingLimit: environment.MONTHLY_SPENDING_LIMIT,
  recordMetric,
  dispatch: createVideoDispatch(dispatcher),
  onDispatchError: onDispatchError(logger),
});

export const onDispatchError =
  (logger: Pick<Platform['logger'], 'error'>) =>
  ({ id }: VideoRecord, error: unknown): void =>
    logger.error('Could not dispatch a video; it stays queued for now', { ...describeError(error), video_id: id });

/** Logs each accepted request, without its owner and its content. */
export const onAccepted =
  (logger: Pick<Platform['logger'], 'info'>): OnAccepted =>
  ({ video: { id, model, source, status }, created }) =>
    logger.info(created ? 'Created a video' : 'Received a repeated request', {
      video_id: id,
      model,
      source: source.type,
      status,
    });

/** Returns a reader of queue positions. An unknown position is logged and omitted from the response. */
export const createQueuePositions = (
  environment: Pick<Environment<'submit'>, 'LIMIT_SETTINGS' | 'TYPICAL_SECONDS' | 'CATALOGUE'>,
  { logger }: Pick<Platform, 'logger'>,
  table: Table,
): ReadQueuePosition => {
  const readSeconds = secondsReader(environment, table);
  return createQueuePositionReader({
    table,
    paceOf: limitsReader(environment, table),
    typicalSeconds: async (video) => typicalSecondsOf(table, video, await readSeconds()),
    onError: (video, error) =>
      logger.warn('Could not determine the queue position of a video', { ...describeError(error), video_id: video.id }),
  });
};

type WanEnvironment = Environment<'canary'>;

/** Returns a reader of Wan's key. */
export const wanKeyOf = (
  { WAN_SECRET_ARN }: Pick<WanEnvironment, 'WAN_SECRET_ARN'>,
  { secrets, clock }: Pick<Platform, 'secrets' | 'clock'>,
): SecretReader => secretReader(secrets, WAN_SECRET_ARN, clock.now);

/**
 * Returns Wan's client without a rate limit.
 * @param queryTimeout in milliseconds. @default - the client's
 * @param keepAlive whether connections are reused. @default true
 */
export const wanOf = (
  environment: Pick<WanEnvironment, 'WAN_BASE_URL' | 'WAN_SECRET_ARN'>,
  platform: Pick<Platform, 'secrets' | 'clock' | 'fetch'>,
  {
    apiKey = wanKeyOf(environment, platform),
    queryTimeout,
    keepAlive = true,
  }: { apiKey?: SecretReader; queryTimeout?: number; keepAlive?: boolean } = {},
): WanClient =>
  createWanClient({
    baseUrl: environment.WAN_BASE_URL,
    apiKey,
    keyRejected: apiKey.forget,
    fetch: platform.fetch,
    keepAlive,
    ...(queryTimeout === undefined ? {} : { timeouts: { query: queryTimeout } }),
  });

/** Returns Wan's client within the rate limit that all functions share. */
export const rateLimitedWanOf = (
  environment: Pick<Environment<'watch'>, 'WAN_BASE_URL' | 'WAN_SECRET_ARN' | 'WAN_QUERIES_PER_SECOND'>,
  platform: Pick<Platform, 'secrets' | 'clock' | 'fetch' | 'recordMetric'>,
  table: Table,
  options?: Parameters<typeof wanOf>[2],
): WanClient =>
  rateLimitedWan(wanWithMetrics(wanOf(environment, platform, options), platform.recordMetric), {
    table,
    perSecond: environment.WAN_QUERIES_PER_SECOND,
    sleep: platform.clock.sleep,
  });

/** Returns an API handler that keeps the owner's rate and adds CORS headers, and whose log lines identify the request and its video. */
export function createApiHandler(
  environment: Pick<Environment<'uploads'>, 'REQUEST_RATE' | 'CORS'>,
  platform: Pick<Platform, 'logger'>,
  table: Table,
  respond: Parameters<typeof apiHandler>[0],
) {
  const { logger } = platform;
  const admitRequest = requestLimiterOf(environment, platform, table);
  const admitted: typeof respond = async (request, caller) => {
    await keepRate(admitRequest, caller);
    return respond(request, caller);
  };
  return inContext(logger, withCors(environment.CORS, apiHandler(admitted, logFailureTo(logger))), logContext);
}

/** Returns the rate limiter of requests by owner. */
export const requestLimiterOf = (
  { REQUEST_RATE }: Pick<Environment<'uploads'>, 'REQUEST_RATE'>,
  { logger }: Pick<Platform, 'logger'>,
  table: Table,
): AdmitRequest =>
  createRequestLimiter(table, REQUEST_RATE, (error) =>
    logger.warn('Could not check the rate of an owner; accepted the request', describeError(error)),
  );

export const logFailureTo =
  (logger: Platform['logger']) =>
  (error: unknown, request_id: string | undefined): void =>
    logger.error('Failed to answer a request', { ...describeError(error), request_id });
