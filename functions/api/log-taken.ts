import type { Logger } from '@aws-lambda-powertools/logger';
import type { VideoRecord } from '../video/record.ts';

/** Told of each request that was taken. */
export type LogTaken = (taken: { video: VideoRecord; created: boolean }) => void;

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
