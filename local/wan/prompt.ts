/** The first characters of a text; a Chinese character or a letter counts one each (reference, "prompt"). */
export function truncate(text: string, characters: number): string {
  return text.length <= characters ? text : [...text].slice(0, characters).join('');
}

/** Stands for the rewriting that Wan's language model does: a longer prompt, the same one each time. */
export function rewrite(prompt: string): string {
  const subject = prompt.trim() || 'The scene of the first frame';
  return `${subject}${/[.!?。！？]$/.test(subject) ? '' : '.'} The camera glides slowly past, in soft light and rich detail.`;
}
