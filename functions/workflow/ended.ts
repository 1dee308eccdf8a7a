import type { Measure } from '../shared/measure.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/store.ts';

export interface EndingServices {
  measure: Measure;
  /** Writes a drop's outcome beside it; does nothing for any other video. */
  tellResult: (video: VideoRecord) => Promise<void>;
  /** Told of a result that could not be written: the sweep writes it. */
  logUntold: (video: VideoRecord, error: unknown) => void;
}

/** A table that sees to what follows when a video ends: its figures are told, and a drop's outcome is written beside it. */
export const watchEndings = (table: Table, { measure, tellResult, logUntold }: EndingServices): Table => ({
  ...table,
  async ended(video) {
    measureEnding(measure, video);
    await tellResult(video).catch((error: unknown) => logUntold(video, error));
  },
});

function measureEnding(measure: Measure, { status, model, error, cost, created_at, updated_at }: VideoRecord): void {
  switch (status) {
    case 'succeeded':
      measure('Succeeded', 1, { model });
      measure('SecondsToFinish', (Date.parse(updated_at) - Date.parse(created_at)) / 1000, { model });
      if (cost) measure('Spend', cost.amount, { model });
      break;
    case 'failed':
      measure('Failed', 1, { code: error?.code ?? 'unknown' });
      break;
    case 'canceled':
      measure('Canceled');
      break;
  }
}
