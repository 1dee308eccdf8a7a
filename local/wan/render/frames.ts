import type { Recipe } from './recipe.ts';

export const framesPerSecond = 30;

/** The camera returns to its start after this time. */
const cycleSeconds = 5;

/**
 * Returns the seconds of frames to encode for a video. A video of one shot that lasts several cycles repeats the first:
 * the seams are invisible, and encoding takes most of the time.
 */
export function renderedSeconds({ seconds, shots }: Recipe): number {
  return shots === 1 && seconds % cycleSeconds === 0 ? cycleSeconds : seconds;
}

/** Size of the image relative to the frame that moves over it, for each shot. */
const zooms = [1.12, 1.6, 1.3, 1.9];

/**
 * Returns the filters that animate one still image, from `[0:v]` to `[frames]`: for each shot, scale it once, repeat it, and
 * move a crop over it. (The zoompan filter scales every frame, which takes fifty times as long.)
 */
export function frameFilters(recipe: Recipe): string {
  const shots = Array.from({ length: recipe.shots }, (_, index) => index);
  const frames = renderedSeconds(recipe) * framesPerSecond;
  const firstFrameOf = (shot: number) => Math.round((frames * shot) / recipe.shots);
  const stills = shots.map((shot) => `[still${shot}]`).join('');
  const chains = shots.map((shot) => {
    const length = firstFrameOf(shot + 1) - firstFrameOf(shot);
    return `[still${shot}]${shotFilters(recipe, shot, length)}[shot${shot}]`;
  });
  const inputs = shots.map((shot) => `[shot${shot}]`).join('');
  return [`[0:v]split=${recipe.shots}${stills}`, ...chains, `${inputs}concat=n=${recipe.shots}[frames]`].join(';');
}

function shotFilters(recipe: Recipe, shot: number, frames: number): string {
  const zoom = zooms[shot % zooms.length] ?? 1;
  const large = (side: number) => 2 * Math.round((side * zoom) / 2);
  const [x, y] = [oscillation(recipe.motion, shot * 2), oscillation(recipe.motion, shot * 2 + 1)];
  return [
    `scale=${large(recipe.width)}:${large(recipe.height)}:flags=bicubic`,
    'setsar=1',
    'format=yuv420p',
    `loop=loop=${frames - 1}:size=1:start=0`,
    `settb=1/${framesPerSecond}`,
    'setpts=N',
    `crop=${recipe.width}:${recipe.height}:x='(iw-ow)*${x}':y='(ih-oh)*${y}'`,
  ].join(',');
}

/** Expression that oscillates between 0 and 1 over a cycle, with its phase from four digits of the motion. */
function oscillation(motion: string, axis: number): string {
  const at = (axis * 4) % motion.length;
  const phase = Number.parseInt(motion.slice(at, at + 4), 16) / 65536;
  return `(0.5+0.48*sin(2*PI*(${phase.toFixed(4)}+t/${cycleSeconds})))`;
}
