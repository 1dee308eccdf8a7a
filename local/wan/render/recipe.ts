import { findModel, mediaKinds } from '../models.ts';
import { truncate } from '../prompt.ts';
import { sha256 } from '../sha256.ts';
import type { Task, TaskMedia } from '../task.ts';
import { type Size, shapeOf, videoSize } from './size.ts';

export const framesPerSecond = 30;

/** A still image: a file of the request, the last frame of a video of it, or one that is drawn from the motion. */
export type Still = { readonly file: string } | { readonly lastFrameOf: string } | 'drawn';

/** A part of a video, with its number of frames. */
export type Segment =
  /** A pan and zoom over an image, with cuts between shots. `start` is the frame at which the camera begins. */
  | {
      readonly kind: 'still';
      readonly still: Still;
      readonly frames: number;
      readonly shots: number;
      readonly start: number;
    }
  /** A video from its start, repeated if it is shorter. */
  | { readonly kind: 'clip'; readonly file: string; readonly frames: number; readonly clipFrames: number }
  /** A pan and zoom over one image that fades into another one, which is the last frame. */
  | {
      readonly kind: 'ending';
      readonly still: Still;
      readonly last: Still;
      readonly frames: number;
      readonly start: number;
    };

/** Everything that determines the frames and the audio of a video: tasks with the same recipe share a rendering. */
export interface Recipe extends Size {
  readonly segments: readonly Segment[];
  readonly frames: number;
  /** Path of the camera: a hash of seed, prompt and negative prompt. */
  readonly motion: string;
  readonly watermark: boolean;
  /** The quantizer of H.264: lower is better. The segments of a video must have the same one. */
  readonly quantizer: number;
  /** No audio, generated audio, the caller's files one after the other, or the audio of a clip and then a generated one. */
  readonly audio:
    | 'none'
    | 'generated'
    | { readonly files: readonly string[] }
    | { readonly clip: string; readonly seconds: number };
}

/** Returns the recipe of a task. */
export function recipeOf(task: Task): Recipe {
  const model = findModel(task.model);
  const prompt = truncate(task.orig_prompt, model?.promptCharacters ?? 0);
  const frames = Math.round(task.duration * framesPerSecond);
  return {
    ...outputSize(task),
    segments: segmentsOf(task, frames),
    frames,
    motion: sha256(JSON.stringify([task.seed, prompt, task.negative_prompt])),
    watermark: task.watermark,
    quantizer: find(task, 'first_clip') ? 18 : 30,
    audio: audioOf(task),
  };
}

/** Name of a recipe's rendering. Increment the version when the same recipe renders differently. */
export function recipeName(recipe: Recipe): string {
  return sha256(JSON.stringify(['3', recipe]));
}

/** Returns the size of a task's video: by its ratio, or by the first image or video of its request. */
export function outputSize(task: Task): Size {
  const visible = task.media.find(({ width, height }) => width !== undefined && height !== undefined);
  const own = visible && { width: visible.width ?? 1, height: visible.height ?? 1 };
  const shape = task.ratio && task.ratio !== 'adaptive' ? shapeOf(task.ratio) : (own ?? shapeOf('16:9'));
  return videoSize(shape, task.resolution, findModel(task.model)?.sizes ?? 'nearest');
}

function find(task: Task, type: TaskMedia['type']): TaskMedia | undefined {
  return task.media.find((media) => media.type === type);
}

function segmentsOf(task: Task, frames: number): Segment[] {
  const [first, last, clip] = [find(task, 'first_frame'), find(task, 'last_frame'), find(task, 'first_clip')];
  if (clip) {
    // At least one frame follows the clip.
    const clipFrames = Math.min(framesOf(clip), frames - 1);
    const source: Segment = { kind: 'clip', file: clip.file, frames: clipFrames, clipFrames };
    return [source, ...animate({ lastFrameOf: clip.file }, frames - clipFrames, last)];
  }
  if (first) {
    // A multi-shot video has a cut about every four seconds, at least one.
    const shots = task.multi_shot ? Math.max(2, Math.round(task.duration / 4)) : 1;
    return animate({ file: first.file }, frames, last, shots);
  }
  // Each reference that can be shown fills the frame for an equal part of the video.
  const shown = task.media.filter(({ type }) => type === 'reference_image' || type === 'reference_video');
  const startOf = (index: number) => Math.round((frames * index) / shown.length);
  const references = shown.map((media, index): Segment => {
    const length = startOf(index + 1) - startOf(index);
    return mediaKinds[media.type] === 'video'
      ? { kind: 'clip', file: media.file, frames: length, clipFrames: framesOf(media) }
      : { kind: 'still', still: { file: media.file }, frames: length, shots: 1, start: 0 };
  });
  return references.length > 0 ? references : animate('drawn', frames, undefined);
}

/** Animates an image; if there is a last frame, the last second at most fades into it. */
function animate(still: Still, frames: number, last: TaskMedia | undefined, shots = 1): Segment[] {
  const ending = last ? Math.min(framesPerSecond, Math.ceil(frames / 2)) : 0;
  const body = frames - ending;
  return [
    ...(body > 0 ? [{ kind: 'still', still, frames: body, shots, start: 0 } as const] : []),
    ...(last ? [{ kind: 'ending', still, last: { file: last.file }, frames: ending, start: body } as const] : []),
  ];
}

function framesOf({ seconds = 0 }: TaskMedia): number {
  return Math.max(1, Math.round(seconds * framesPerSecond));
}

function audioOf(task: Task): Recipe['audio'] {
  if (!task.has_audio) return 'none';
  const files = task.media.filter(({ type }) => mediaKinds[type] === 'audio').map(({ file }) => file);
  if (files.length > 0) return { files };
  const clip = find(task, 'first_clip');
  return clip?.hasAudio ? { clip: clip.file, seconds: clip.seconds ?? 0 } : 'generated';
}
