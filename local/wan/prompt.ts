/** Returns the first characters of a text. A Chinese character counts as one, like a letter (reference, "prompt"). */
export function truncate(text: string, characters: number): string {
  return text.length <= characters ? text : [...text].slice(0, characters).join('');
}

/** Imitates the prompt extension of Wan's language model: always the same longer prompt. */
export function rewrite(prompt: string): string {
  const subject = prompt.trim() || 'The scene of the first frame';
  return `${subject}${/[.!?。！？]$/.test(subject) ? '' : '.'} The camera glides slowly past, in soft light and rich detail.`;
}
