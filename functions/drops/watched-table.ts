import type { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import { describeError } from '../shared/logging.ts';
import type { Measure } from '../shared/measure.ts';
import type { Table } from '../video/store.ts';
import { watchEndings } from '../workflow/ended.ts';
import { tellResult } from './tell-result.ts';

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
