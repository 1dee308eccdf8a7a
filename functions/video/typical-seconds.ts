import { findModel, isModelName } from '../wan/catalogue.ts';
import type { VideoRecord } from './record.ts';

/** Where nothing is known of a model, the middle of the reference's "1 to 5 minutes". */
const UNKNOWN_MODEL_SECONDS = 120;

/**
 * How long such a video's task usually takes, in seconds.
 * @param configured the deployment's own figure, which goes before the catalogue's
 */
export function typicalSeconds(video: Pick<VideoRecord, 'model' | 'parameters'>, configured?: number): number {
  if (configured !== undefined) return configured;
  if (!isModelName(video.model)) return UNKNOWN_MODEL_SECONDS;
  const { base, per_video_second } = findModel(video.model).typical_seconds;
  return base + per_video_second * (video.parameters.duration ?? 0);
}
