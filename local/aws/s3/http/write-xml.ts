/** What an element may hold: text, children in order, or the same element several times. `undefined` leaves it out. */
export type XmlContent = string | number | boolean | undefined | readonly XmlContent[] | { [name: string]: XmlContent };

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/**
 * Writes a document whose root carries S3's namespace.
 * @example writeXml('Tagging', { TagSet: { Tag: [{ Key: 'a', Value: 'b' }] } })
 */
export function writeXml(root: string, content: XmlContent): string {
  return `${declaration}<${root} xmlns="${namespace}">${inner(content)}</${root}>`;
}

/** Error documents carry no namespace. */
export function writeErrorXml(content: XmlContent): string {
  return `${declaration}<Error>${inner(content)}</Error>`;
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

function element(name: string, content: XmlContent): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((item) => element(name, item)).join('');
  return `<${name}>${inner(content)}</${name}>`;
}

function inner(content: XmlContent): string {
  if (typeof content !== 'object') return writeText(String(content ?? ''));
  return Object.entries(content)
    .map(([name, child]) => element(name, child))
    .join('');
}

/** Control characters have no place in XML 1.0; S3 writes them as references all the same. */
function writeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  return text.replace(/[&<>"\u0000-\u001f]/g, (sign) => named[sign] ?? `&#x${sign.charCodeAt(0).toString(16)};`);
}

const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
