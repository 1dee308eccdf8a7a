import type { EventBridgeEvent } from 'aws-lambda';
import { tellUntold } from '../drops/write-result.ts';
import { canary, isFailure } from '../maintenance/canary.ts';
import { finishDeletions } from '../maintenance/finish-deletions.ts';
import { resumeWhenDead, sweep } from '../maintenance/sweep.ts';
import { dispatch, startAgain } from '../queue/dispatch.ts';
import { readExecutionName } from '../queue/execution.ts';
import type { Environment } from '../shared/environment.ts';
import { describeError, inContext } from '../shared/logging.ts';
import { offeredModelNames } from '../wan/catalogue.ts';
import type { Platform } from './platform.ts';
import { dispatcherOf, openTable, wanKeyOf, wanOf } from './services.ts';

export function composeDispatch(
  environment: Environment<'dispatch'>,
  platform: Platform<'dynamoDb' | 'stepFunctions'>,
) {
  const { logger } = platform;
  const dispatcher = dispatcherOf(environment, platform, openTable(environment, platform));
  return inContext(logger, async () => {
    // What goes wrong with one model keeps none of the others waiting.
    const lanes = await Promise.allSettled(offeredModelNames.map((model) => dispatch(dispatcher, model)));
    const started = lanes.flatMap((lane) => (lane.status === 'fulfilled' ? lane.value : []));
    for (const video_id of started) logger.info('Started a queued video', { video_id });
    await startAgain(dispatcher);
    for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
  });
}

/** Runs by schedule over everything, and for one video at once when its execution has failed. */
export function composeSweep(
  environment: Environment<'sweep'>,
  platform: Platform<'dynamoDb' | 's3' | 'stepFunctions' | 'measure'>,
) {
  const { s3, measure, logger, clock } = platform;
  const table = openTable(environment, platform);
  const dispatcher = dispatcherOf(environment, platform, table);
  const results = { table, s3, copyVideo: environment.COPY_VIDEO_BESIDE };
  const deletions = {
    table,
    s3,
    videosBucket: environment.VIDEOS_BUCKET,
    uploadsBucket: environment.UPLOADS_BUCKET,
  };
  return inContext(logger, async (event: Partial<EventBridgeEvent<string, { name?: string }>>) => {
    const ended = readExecutionName(event.detail?.name ?? '');
    if (ended) {
      const resumed = await resumeWhenDead(dispatcher, ended.id);
      logger.warn('An execution failed', { video_id: ended.id, run: ended.run, resumed });
      return;
    }
    const report = await sweep(dispatcher, offeredModelNames, clock.sleep);
    const { resumed, dispatched, left, first_expiry, unwatched_seconds, failed } = report;
    if (first_expiry) measure('MinutesToUpstreamExpiry', (Date.parse(first_expiry) - clock.now()) / 60_000);
    if (unwatched_seconds > 0) measure('SecondsUnwatched', unwatched_seconds);
    if (left > 0) logger.warn('Ran out of time before all videos were checked', { left });
    const attend = (what: string, work: () => Promise<unknown>) =>
      work().catch((error: unknown) => {
        for (const cause of error instanceof AggregateError ? error.errors : [error])
          failed.push({ what, error: cause });
      });
    await attend('results', () => tellUntold(results));
    await attend('deletions', () => finishDeletions(deletions));
    for (const video_id of resumed) logger.warn('Resumed a video whose execution had died', { video_id });
    for (const video_id of dispatched)
      logger.warn('Started a queued video that should have been started before', { video_id });
    for (const { what, error } of failed) logger.error('Failed to repair something', { ...describeError(error), what });
    if (failed.length > 0) throw new Error(`${failed.length} repairs failed; the log has a line for each.`);
  });
}

export function composeCanary(environment: Environment<'canary'>, platform: Platform<'secrets' | 'measure'>) {
  const { measure, logger, clock } = platform;
  const apiKey = wanKeyOf(environment, platform);
  const services = { wan: wanOf(environment, platform, { apiKey }), apiKey, measure, now: clock.now };
  return inContext(logger, async () => {
    const report = await canary(services);
    if (isFailure(report)) logger.warn('The canary failed', { ...report });
    else logger.info('The canary finished', { ...report });
  });
}
