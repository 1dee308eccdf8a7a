/** A duration by which the model chooses the length itself. */
export const AUTOMATIC_DURATION = -1;

/** Whole seconds of video: a set of values, or every whole number of a range. `automatic`: also `AUTOMATIC_DURATION`. */
export type Durations =
  | { readonly kind: 'set'; readonly values: readonly number[]; readonly default: number }
  | {
      readonly kind: 'range';
      readonly min: number;
      readonly max: number;
      readonly default: number;
      readonly automatic?: true;
    };

/** Whether a model offers a duration. */
export function takesDuration(durations: Durations, seconds: number): boolean {
  if (durations.kind === 'set') return durations.values.includes(seconds);
  if (seconds === AUTOMATIC_DURATION) return durations.automatic === true;
  return Number.isInteger(seconds) && seconds >= durations.min && seconds <= durations.max;
}

/** The durations as text: "5, 10 or 15", "2 to 15". */
export function describeDurations(durations: Durations): string {
  if (durations.kind === 'set') return durations.values.join(', ').replace(/, (\d+)$/, ' or $1');
  return `${durations.min} to ${durations.max}${durations.automatic ? ', or -1 to let the model choose' : ''}`;
}

/** The longest video of a model, in seconds. */
export const longestDuration = (durations: Durations): number =>
  durations.kind === 'set' ? Math.max(...durations.values) : durations.max;

/** The number of pixels of each tier. */
const outputAreas = {
  '480P': 832 * 480,
  '720P': 1280 * 720,
  '1080P': 1920 * 1080,
} as const;

/**
 * The expected size of a video: the aspect ratio of its image, the tier's number of pixels, and both sides a multiple of 16.
 *
 * The formula is that of the open Wan 2.2 model and agrees with the reference's only example (750 × 1000 at 720P becomes 816 × 1104), so
 * another size is a warning, never a failure.
 */
export function outputSize(
  image: { width: number; height: number },
  resolution: keyof typeof outputAreas,
): { width: number; height: number } {
  const area = outputAreas[resolution];
  const shape = image.height / image.width;
  return {
    width: 16 * Math.floor(Math.sqrt(area / shape) / 16),
    height: 16 * Math.floor(Math.sqrt(area * shape) / 16),
  };
}
