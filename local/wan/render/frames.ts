import { framesPerSecond, type Recipe, type Segment } from './recipe.ts';

/** The camera returns to its start after this time. */
const cycleSeconds = 5;

/**
 * Returns the frames to encode for a segment. One shot that lasts longer than a cycle repeats the first cycle, and a clip repeats
 * itself: the seams of a cycle are invisible, and encoding takes most of the time.
 */
export function encodedFrames(segment: Segment): number {
  switch (segment.kind) {
    case 'still':
      return segment.shots === 1 ? Math.min(segment.frames, cycleSeconds * framesPerSecond) : segment.frames;
    case 'clip':
      return Math.min(segment.frames, segment.clipFrames);
    case 'ending':
      return segment.frames;
  }
}

/** Size of the image relative to the frame that moves over it, for each shot. */
const zooms = [1.12, 1.6, 1.3, 1.9];

type Look = Pick<Recipe, 'width' | 'height' | 'motion'>;

/**
 * Returns the filters that make the frames of a segment, from `[0:v]` (and `[1:v]`, the image of an ending) to `[frames]`. A still
 * image is scaled once for each shot and repeated, and a crop moves over it. (The zoompan filter scales every frame, which takes
 * fifty times as long.)
 */
export function frameFilters(look: Look, segment: Segment): string {
  const frames = encodedFrames(segment);
  if (segment.kind === 'clip') {
    return `[0:v]fps=${framesPerSecond},${cover(look)},tpad=stop_mode=clone:stop_duration=2[frames]`;
  }
  if (segment.kind === 'ending') {
    const fade = Math.floor(frames * 0.7);
    const fading = fade > 0 ? `,fade=t=in:s=0:n=${fade}:alpha=1` : '';
    return [
      `[0:v]${shotFilters(look, 0, frames, segment.start)}[from]`,
      `[1:v]${cover(look, 'yuva420p')},${repeat(frames)}${fading}[last]`,
      '[from][last]overlay,format=yuv420p[frames]',
    ].join(';');
  }
  const shots = Array.from({ length: segment.shots }, (_, index) => index);
  const firstFrameOf = (shot: number) => Math.round((frames * shot) / segment.shots);
  const stills = shots.map((shot) => `[still${shot}]`).join('');
  const chains = shots.map((shot) => {
    const length = firstFrameOf(shot + 1) - firstFrameOf(shot);
    return `[still${shot}]${shotFilters(look, shot, length, segment.start)}[shot${shot}]`;
  });
  const inputs = shots.map((shot) => `[shot${shot}]`).join('');
  return [`[0:v]split=${segment.shots}${stills}`, ...chains, `${inputs}concat=n=${segment.shots}[frames]`].join(';');
}

/** Scales to the smallest size that covers a frame, and cuts off what is outside. */
function cover({ width, height }: Look, format = 'yuv420p'): string {
  return [scale(width, height), 'setsar=1', `crop=${width}:${height}`, `format=${format}`].join(',');
}

function scale(width: number, height: number): string {
  return `scale=${width}:${height}:force_original_aspect_ratio=increase:flags=bicubic`;
}

/** Repeats one image. */
function repeat(frames: number): string {
  return `loop=loop=${frames - 1}:size=1:start=0,settb=1/${framesPerSecond},setpts=N`;
}

function shotFilters(look: Look, shot: number, frames: number, start: number): string {
  const zoom = zooms[shot % zooms.length] ?? 1;
  const large = (side: number) => 2 * Math.round((side * zoom) / 2);
  const [x, y] = [oscillation(look.motion, shot * 2, start), oscillation(look.motion, shot * 2 + 1, start)];
  return [
    scale(large(look.width), large(look.height)),
    'setsar=1',
    'format=yuv420p',
    repeat(frames),
    `crop=${look.width}:${look.height}:x='(iw-ow)*${x}':y='(ih-oh)*${y}'`,
  ].join(',');
}

/** Expression that oscillates between 0 and 1 over a cycle, with its phase from four digits of the motion. */
function oscillation(motion: string, axis: number, start: number): string {
  const at = (axis * 4) % motion.length;
  const phase = Number.parseInt(motion.slice(at, at + 4), 16) / 65536 + start / framesPerSecond / cycleSeconds;
  return `(0.5+0.48*sin(2*PI*(${phase.toFixed(4)}+t/${cycleSeconds})))`;
}
