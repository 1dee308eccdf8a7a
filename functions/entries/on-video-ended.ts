import { type ResultServices, writeVideoResult } from '../drops/write-result.ts';
import { describeError } from '../shared/logging.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import type { Platform } from './platform.ts';

/** Adds what follows the end of a video to a table. @param options for the function that archives videos */
export const withEndedHook = (
  table: Table,
  platform: Pick<Platform, 's3' | 'recordMetric' | 'logger'>,
  options: Partial<Pick<ResultServices, 'copyVideo' | 'deleteLeftovers'>> = {},
): Table => ({ ...table, onVideoEnded: onVideoEnded(table, platform, { copyVideo: false, ...options }) });

/**
 * Records the metrics of a video that has ended, deletes what its other downloads left, and writes a drop's result next to its image. The
 * metrics are recorded once. The sweep repeats only `writeVideoResult`, for the videos that `openAttributes` keeps in `result_pending`:
 * every succeeded one, and every drop or manifest line.
 */
const onVideoEnded =
  (
    table: Table,
    { s3, recordMetric, logger }: Pick<Platform, 's3' | 'recordMetric' | 'logger'>,
    options: Pick<ResultServices, 'copyVideo' | 'deleteLeftovers'>,
  ) =>
  async (video: VideoRecord): Promise<void> => {
    recordEnding(recordMetric, video);
    await writeVideoResult({ table, s3, ...options }, video).catch((error: unknown) =>
      logger.error('Could not finish an ended video; will retry', { ...describeError(error), video_id: video.id }),
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
