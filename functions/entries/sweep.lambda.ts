import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { EventBridgeEvent } from 'aws-lambda';
import { tellUntold } from '../drops/write-result.ts';
import { finishDeletions } from '../maintenance/finish-deletions.ts';
import { resumeWhenDead, sweep } from '../maintenance/sweep.ts';
import { readExecutionName } from '../queue/execution.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { offeredModelNames } from '../wan/catalogue.ts';
import { dispatcherOf } from './services.ts';

const environment = readEnvironment('sweep');
const logger = createLogger('sweep');
const measure = createMeasure();
const s3 = new S3Client({});
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);
const results = { table, s3, copyVideo: environment.COPY_VIDEO_BESIDE };
const dispatcher = dispatcherOf(environment, table, new SFNClient({}));
const deletions = {
  table,
  s3,
  videosBucket: environment.VIDEOS_BUCKET,
  uploadsBucket: environment.UPLOADS_BUCKET,
};

/** Runs by schedule over everything, and for one video at once when its execution ended badly. */
export const handler = inContext(logger, async (event: EventBridgeEvent<string, { name?: string }>) => {
  const ended = readExecutionName(event.detail?.name ?? '');
  if (ended) {
    const resumed = await resumeWhenDead(dispatcher, ended.id);
    logger.warn('An execution ended badly.', { video_id: ended.id, run: ended.run, resumed });
    return;
  }
  const report = await sweep(dispatcher, offeredModelNames);
  const { resumed, dispatched, left, first_expiry, failed } = report;
  if (first_expiry) measure('MinutesToUpstreamExpiry', (Date.parse(first_expiry) - table.now()) / 60_000);
  if (left > 0) logger.warn('There was no time for all videos: those whose records changed last are left.', { left });
  const attend = (what: string, work: () => Promise<unknown>) =>
    work().catch((error: unknown) => {
      for (const cause of error instanceof AggregateError ? error.errors : [error]) failed.push({ what, error: cause });
    });
  await attend('results', () => tellUntold(results));
  await attend('deletions', () => finishDeletions(deletions));
  for (const video_id of resumed) logger.warn('A video whose workflow died was resumed.', { video_id });
  for (const video_id of dispatched) logger.warn('A video that waited for nothing was started.', { video_id });
  for (const { what, error } of failed) logger.error('Could not be looked after.', { ...describeError(error), what });
  if (failed.length > 0) throw new Error(`${failed.length} of what needed looking after failed; the log says which.`);
});
