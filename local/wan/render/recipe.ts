import { findModel } from '../models.ts';
import { truncate } from '../prompt.ts';
import { sha256 } from '../sha256.ts';
import type { Task } from '../task.ts';
import { videoSize } from './size.ts';

/** All that a video's pictures and sound depend on: two tasks with one recipe have one rendering. */
export interface Recipe {
  readonly image: string;
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
  /** Where the camera goes; from seed, prompt and negative prompt. */
  readonly motion: string;
  readonly shots: number;
  readonly watermark: boolean;
  /** No sound track, one made up, or the caller's file. */
  readonly sound: 'none' | 'generated' | { readonly file: string };
}

/** The recipe of a task. A multi-shot video has a cut about every four seconds, at least one. */
export function recipeOf(task: Task): Recipe {
  const prompt = truncate(task.orig_prompt, findModel(task.model)?.promptCharacters ?? 0);
  return {
    image: task.image.file,
    ...videoSize(task.image, task.resolution),
    seconds: task.duration,
    motion: sha256(JSON.stringify([task.seed, prompt, task.negative_prompt])),
    shots: task.multi_shot ? Math.max(2, Math.round(task.duration / 4)) : 1,
    watermark: task.watermark,
    sound: task.sound ? (task.audio ?? 'generated') : 'none',
  };
}

/** The name of a recipe's rendering. Raise the version when the same recipe is to look different. */
export function recipeName(recipe: Recipe): string {
  return sha256(JSON.stringify(['2', recipe]));
}
