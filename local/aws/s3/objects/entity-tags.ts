/** Whether an `If-Match`-like header names this entity tag: `*`, or a list of tags with or without quotes. */
export function namesEntityTag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, '$1') === etag);
}
