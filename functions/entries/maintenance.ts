import type { EventBridgeEvent } from 'aws-lambda';
import type { DroppedObject } from '../drops/dropped-object.ts';
import { startWait } from '../drops/dropped-object.ts';
import { type FinishServices, finishVideos } from '../drops/write-result.ts';
import { enqueueDue } from '../events/deliveries.ts';
import { canary, isFailure } from '../maintenance/canary.ts';
import { finishDeletions } from '../maintenance/finish-deletions.ts';
import { acceptLostDrops } from '../maintenance/lost-drops.ts';
import { resumeWhenDead, sweep } from '../maintenance/sweep.ts';
import { dispatch, restartStuckStarts } from '../queue/dispatch.ts';
import { readExecutionName } from '../queue/execution.ts';
import type { Environment } from '../shared/environment.ts';
import { describeError, inContext } from '../shared/logging.ts';
import { rowNames } from '../wan/changes.ts';
import { deleteLeftovers } from '../workflow/archive-video.ts';
import { eventPublisher, openTableWithEvents } from './on-status-changed.ts';
import type { Platform } from './platform.ts';
import { changesReader, createDispatcher, wanKeyOf, wanOf } from './services.ts';

export function composeDispatch(
  environment: Environment<'dispatch'>,
  platform: Platform<'dynamoDb' | 'stepFunctions' | 'eventBridge' | 'sqs'>,
) {
  const { logger, sqs } = platform;
  const table = openTableWithEvents(environment, platform);
  const dispatcher = createDispatcher(environment, platform, table);
  const readChanges = changesReader(environment, table);
  return inContext(logger, async () => {
    // All models: one that is no longer offered may still have queued videos.
    const modelNames = rowNames(await readChanges());
    // An error with one model, or with webhooks, does not stop the others.
    const results = await Promise.allSettled(modelNames.map((model) => dispatch(dispatcher, model)));
    const started = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    for (const video_id of started) logger.info('Started a queued video', { video_id });
    const others = await Promise.allSettled([
      restartStuckStarts(dispatcher),
      enqueueDue(table, sqs, environment.WEBHOOK_QUEUE_URL),
    ]);
    for (const result of [...results, ...others]) if (result.status === 'rejected') throw result.reason;
  });
}

/** With the 10 minutes that a lost drop has waited already, the longest wait for a sidecar. */
const LOST_DROP_SECONDS = 300;

/** Runs on a schedule for all videos, and immediately for the video of a failed execution. */
export function composeSweep(
  environment: Environment<'sweep'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'eventBridge' | 'sqs' | 'recordMetric'>,
) {
  const { s3, sqs, recordMetric, logger, clock } = platform;
  const table = openTableWithEvents(environment, platform);
  const dispatcher = createDispatcher(environment, platform, table);
  const readChanges = changesReader(environment, table);
  const results: FinishServices = {
    table,
    s3,
    publish: eventPublisher(table, environment, platform),
    copyVideo: environment.COPY_VIDEO_TO_DROP,
    deleteLeftovers: (id, archived) => deleteLeftovers(s3, id, archived),
  };
  const deletions = {
    table,
    s3,
    videosBucket: environment.VIDEOS_BUCKET,
    uploadsBucket: environment.UPLOADS_BUCKET,
  };
  const lostDrops = {
    table,
    s3,
    uploadsBucket: environment.UPLOADS_BUCKET,
    retentionDays: environment.DROP_RETENTION_DAYS,
    accept: (object: DroppedObject) =>
      startWait({ client: sqs, queueUrl: environment.DROP_QUEUE_URL, seconds: LOST_DROP_SECONDS }, object),
  };
  return inContext(logger, async (event: Partial<EventBridgeEvent<string, { name?: string }>>) => {
    const ended = readExecutionName(event.detail?.name ?? '');
    if (ended) {
      const resumed = await resumeWhenDead(dispatcher, ended.id);
      logger.warn('Execution failed', { video_id: ended.id, run: ended.run, resumed });
      return;
    }
    const report = await sweep(dispatcher, rowNames(await readChanges()), clock.sleep);
    const { resumed, dispatched, left, first_expiry, unwatched_seconds, failed } = report;
    if (first_expiry) recordMetric('MinutesToUpstreamExpiry', (Date.parse(first_expiry) - clock.now()) / 60_000);
    if (unwatched_seconds > 0) recordMetric('SecondsUnwatched', unwatched_seconds);
    if (left > 0) logger.warn('Ran out of time before all executions were checked', { left });
    const collectErrors = (step: string, work: () => Promise<unknown>) =>
      work().catch((error: unknown) => {
        for (const cause of error instanceof AggregateError ? error.errors : [error])
          failed.push({ step, error: cause });
      });
    await collectErrors('endings', () => finishVideos(results));
    await collectErrors('deletions', () => finishDeletions(deletions));
    await collectErrors('lost drops', async () => {
      const count = await acceptLostDrops(lostDrops);
      if (count > 0) logger.warn('Accepted drops whose events were lost', { count });
    });
    for (const video_id of resumed) logger.warn('Restarted a video without a running execution', { video_id });
    for (const video_id of dispatched) logger.warn('Started a queued video with a free permit', { video_id });
    for (const { step, error } of failed) logger.error('Repair failed; will retry', { ...describeError(error), step });
    if (failed.length > 0) throw new Error(`${failed.length} repairs failed; each has a log line.`);
  });
}

export function composeCanary(environment: Environment<'canary'>, platform: Platform<'secrets' | 'recordMetric'>) {
  const { recordMetric, logger, clock } = platform;
  const apiKey = wanKeyOf(environment, platform);
  const services = { wan: wanOf(environment, platform, { apiKey }), apiKey, recordMetric, now: clock.now };
  return inContext(logger, async () => {
    const report = await canary(services);
    if (isFailure(report)) logger.warn('Canary failed', { ...report });
    else logger.info('Canary finished', { ...report });
  });
}
