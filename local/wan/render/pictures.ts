import type { Recipe } from './recipe.ts';

export const framesPerSecond = 30;

/** How long the camera takes to come back to where it was, in seconds. */
const round = 5;

/**
 * Seconds of pictures to be made for a video. A video of one shot that lasts several rounds repeats its first: the joins
 * can't be seen, and encoding is what takes the time.
 */
export function secondsOfPictures({ seconds, shots }: Recipe): number {
  return shots === 1 && seconds % round === 0 ? round : seconds;
}

/** How much larger than the frame the picture is that the frame moves over, shot by shot. */
const zooms = [1.12, 1.6, 1.3, 1.9];

/**
 * The filters that make moving pictures of one still, from `[0:v]` to `[pictures]`: per shot, the still scaled once,
 * repeated, and a crop of it that wanders. (The zoompan filter would scale every frame: fifty times slower.)
 */
export function pictureFilters(recipe: Recipe): string {
  const shots = Array.from({ length: recipe.shots }, (_, index) => index);
  const frames = secondsOfPictures(recipe) * framesPerSecond;
  const firstFrameOf = (shot: number) => Math.round((frames * shot) / recipe.shots);
  const stills = shots.map((shot) => `[still${shot}]`).join('');
  const chains = shots.map((shot) => {
    const length = firstFrameOf(shot + 1) - firstFrameOf(shot);
    return `[still${shot}]${shotFilters(recipe, shot, length)}[shot${shot}]`;
  });
  const inputs = shots.map((shot) => `[shot${shot}]`).join('');
  return [`[0:v]split=${recipe.shots}${stills}`, ...chains, `${inputs}concat=n=${recipe.shots}[pictures]`].join(';');
}

function shotFilters(recipe: Recipe, shot: number, frames: number): string {
  const zoom = zooms[shot % zooms.length] ?? 1;
  const large = (side: number) => 2 * Math.round((side * zoom) / 2);
  const [x, y] = [wander(recipe.motion, shot * 2), wander(recipe.motion, shot * 2 + 1)];
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

/** A share of the way that swings with the time, from four digits of the motion. */
function wander(motion: string, axis: number): string {
  const at = (axis * 4) % motion.length;
  const phase = Number.parseInt(motion.slice(at, at + 4), 16) / 65536;
  return `(0.5+0.48*sin(2*PI*(${phase.toFixed(4)}+t/${round})))`;
}
