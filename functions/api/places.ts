import type { LaneLimits } from '../shared/environment.ts';
import { type createLogger, describeError } from '../shared/logging.ts';
import { estimateOf } from '../video/duration-estimate.ts';
import { type PlaceInQueue, placeInQueueOf } from '../video/queue-place.ts';
import type { Table } from '../video/store.ts';
import { catalogueLane } from '../workflow/dispatcher.ts';

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
