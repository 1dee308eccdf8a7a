import { S3Error } from '../errors.ts';
import { childrenOf, malformed, readXml, textOf } from '../http/read-xml.ts';
import type { Tag } from '../store/records.ts';

const mostTags = 10;
const longestKey = 128;
const longestValue = 256;

/** Reads the `x-amz-tagging` header: `a=b&c=d`, percent-encoded. */
export function readTaggingHeader(value: string): Tag[] {
  return checkTags([...new URLSearchParams(value)].map(([key, value]) => ({ key, value })));
}

/** Reads a `<Tagging>` document. */
export function readTaggingXml(document: string): Tag[] {
  const sets = childrenOf(readXml(document, 'Tagging'), 'TagSet');
  if (sets.length !== 1) throw malformed();
  const tags = childrenOf(sets[0]!, 'Tag').map((tag) => {
    const key = textOf(tag, 'Key');
    const value = textOf(tag, 'Value');
    if (key === undefined || value === undefined) throw malformed();
    return { key, value };
  });
  return checkTags(tags);
}

function checkTags(tags: Tag[]): Tag[] {
  if (tags.length > mostTags) throw new S3Error('InvalidTag', 'Object tags cannot be greater than 10');
  if (new Set(tags.map((tag) => tag.key)).size < tags.length) {
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
  }
  for (const { key, value } of tags) {
    if (key === '' || key.length > longestKey)
      throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid');
    if (value.length > longestValue) throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid');
  }
  return tags;
}
