import { type FinishServices, finishVideo } from '../drops/write-result.ts';
import { publishEvents } from '../events/outbox.ts';
import type { Environment } from '../shared/environment.ts';
import { describeError } from '../shared/logging.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { isTerminal, type VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import type { Platform } from './platform.ts';
import { openTable } from './services.ts';

type EventEnvironment = Pick<Environment<'dispatch'>, 'TABLE_NAME' | 'EVENT_BUS_NAME'>;

/** Returns a function that publishes the events of a video that are not published yet. */
export const eventPublisher =
  (table: Table, { EVENT_BUS_NAME }: EventEnvironment, { eventBridge }: Pick<Platform, 'eventBridge'>) =>
  (video: VideoRecord): Promise<void> =>
    publishEvents({ table, eventBridge, busName: EVENT_BUS_NAME }, video);

/** Returns the table for a function that starts videos and ends none: it publishes status changes. */
export function openTableWithEvents(
  environment: EventEnvironment,
  platform: Pick<Platform, 'dynamoDb' | 'clock' | 'eventBridge' | 'logger'>,
): Table {
  const table = openTable(environment, platform);
  const publish = eventPublisher(table, environment, platform);
  return { ...table, onStatusChanged: logged(platform.logger, publish) };
}

/**
 * Returns the table for a function that may end videos. It publishes status changes and, when a video ends, records its metrics and does
 * what remains (`finishVideo`). The sweep repeats only the latter, for the videos that `openAttributes` keeps in `unfinished`.
 * @param options for the function that archives videos
 */
export function openTableWithEndings(
  environment: EventEnvironment,
  platform: Pick<Platform, 'dynamoDb' | 's3' | 'clock' | 'eventBridge' | 'recordMetric' | 'logger'>,
  options: Partial<Pick<FinishServices, 'copyVideo' | 'deleteLeftovers'>> = {},
): Table {
  const table = openTable(environment, platform);
  const publish = eventPublisher(table, environment, platform);
  return withStatusHook(table, { ...platform, publish }, options);
}

/** Adds to a table what follows a status change. */
export function withStatusHook(
  table: Table,
  {
    s3,
    publish,
    recordMetric,
    logger,
  }: Pick<Platform, 's3' | 'recordMetric' | 'logger'> & Pick<FinishServices, 'publish'>,
  options: Partial<Pick<FinishServices, 'copyVideo' | 'deleteLeftovers'>> = {},
): Table {
  const services: FinishServices = { table, s3, publish, copyVideo: false, ...options };
  return {
    ...table,
    onStatusChanged: logged(logger, async (video) => {
      if (!isTerminal(video.status)) return publish(video);
      recordEnding(recordMetric, video);
      await finishVideo(services, video);
    }),
  };
}

const logged =
  (logger: Pick<Platform['logger'], 'error'>, follow: (video: VideoRecord) => Promise<void>) =>
  (video: VideoRecord): Promise<void> =>
    follow(video).catch((error: unknown) =>
      logger.error('Could not do what follows a status change; will retry', {
        ...describeError(error),
        video_id: video.id,
      }),
    );

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
