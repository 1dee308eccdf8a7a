import { findModel } from '../models.ts';
import { truncate } from '../prompt.ts';
import { sha256 } from '../sha256.ts';
import type { Task } from '../task.ts';
import { videoSize } from './size.ts';

/** Everything that determines the frames and the audio of a video: tasks with the same recipe share a rendering. */
export interface Recipe {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
  /** Path of the camera: a hash of seed, prompt and negative prompt. */
  readonly motion: string;
  readonly shots: number;
  readonly watermark: boolean;
  /** No audio, generated audio, or the caller's file. */
  readonly audio: 'none' | 'generated' | { readonly file: string };
}

/** Returns the recipe of a task. A multi-shot video has a cut about every four seconds, at least one. */
export function recipeOf(task: Task): Recipe {
  const prompt = truncate(task.orig_prompt, findModel(task.model)?.promptCharacters ?? 0);
  return {
    image: task.image.file,
    ...videoSize(task.image, task.resolution),
    seconds: task.duration,
    motion: sha256(JSON.stringify([task.seed, prompt, task.negative_prompt])),
    shots: task.multi_shot ? Math.max(2, Math.round(task.duration / 4)) : 1,
    watermark: task.watermark,
    audio: task.has_audio ? (task.audio ?? 'generated') : 'none',
  };
}

/** Name of a recipe's rendering. Increment the version when the same recipe renders differently. */
export function recipeName(recipe: Recipe): string {
  return sha256(JSON.stringify(['2', recipe]));
}
