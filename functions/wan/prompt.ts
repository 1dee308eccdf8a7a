import { findModel, type ModelName } from './catalogue.ts';

/** Characters as Wan counts them: each letter and each Chinese character is one (reference, "prompt"). */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * True if `reported`, the `orig_prompt` of a task, is the prompt that was sent:
 * the same text, or the part of it that the model reads. Spaces around it
 * don't count, and no prompt is the same as an empty one.
 */
export function isSamePrompt(model: ModelName, sent: string | undefined, reported: string | undefined): boolean {
  const whole = sent ?? '';
  const read = [...whole].slice(0, findModel(model).prompt_limit).join('');
  const other = (reported ?? '').trim();
  return other === whole.trim() || other === read.trim();
}
