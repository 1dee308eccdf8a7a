import type { Model } from './catalogue.ts';

/** Counts characters as Wan does: each letter and each Chinese character is one (reference, "prompt"). */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Whether `reported`, the `orig_prompt` of a task, is the prompt that was sent: the same text, or the part of it that the model reads.
 * Surrounding spaces are ignored, and a missing prompt equals an empty one.
 */
export function isSamePrompt(
  { prompt_limit }: Pick<Model, 'prompt_limit'>,
  sent: string | undefined,
  reported: string | undefined,
): boolean {
  const prompt = sent ?? '';
  const truncated = [...prompt].slice(0, prompt_limit).join('');
  const other = (reported ?? '').trim();
  return other === prompt.trim() || other === truncated.trim();
}
