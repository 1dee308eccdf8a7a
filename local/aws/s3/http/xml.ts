import { parseXML } from '@aws-sdk/xml-builder';
import { S3Error } from '../errors.ts';

/** An element of a request: its text, or what it holds by name, text as `#text`. */
export type XmlElement = string | { [name: string]: XmlElement | XmlElement[] };

/**
 * Reads the small documents that S3 requests carry.
 * @throws `MalformedXML`, for document types too: no entity but XML's own is ever expanded
 */
export function readXml(document: string, root: string): XmlElement {
  if (/<!doctype/i.test(document) || unknownReference.test(document)) throw malformed();
  let whole: XmlElement;
  try {
    // The parser ends with the root: only within another element does it see what follows.
    whole = parseXML(`<document>${decodeAstral(document)}</document>`).document;
  } catch {
    throw malformed();
  }
  const [element, ...others] = childrenOf(whole, root);
  const isAlone = others.length === 0 && namesOf(whole).length === 1 && !textOf(whole, '#text')?.trim();
  if (element === undefined || !isAlone) throw malformed();
  return element;
}

export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  const child = typeof element === 'string' ? undefined : element[name];
  return child === undefined ? [] : [child].flat();
}

/** Text of the first child of that name. */
export function textOf(element: XmlElement, name: string): string | undefined {
  const [child] = childrenOf(element, name);
  return typeof child === 'object' ? (textOf(child, '#text') ?? '') : child;
}

/** Names of the children, without namespaces. */
export function namesOf(element: XmlElement): string[] {
  if (typeof element === 'string') return [];
  return Object.keys(element).filter((name) => name !== '#text' && !name.startsWith('xmlns'));
}

/** The parser would read it as nothing. */
const unknownReference = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)/;

/** The parser cuts references to what lies beyond U+FFFF. */
function decodeAstral(document: string): string {
  return document.replace(/&#(?:x([0-9a-fA-F]+)|([0-9]+));/g, (reference, hex, decimal) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (code >= 0xd800 && code <= 0xdfff) throw malformed();
    return code > 0xffff ? String.fromCodePoint(code) : reference;
  });
}

export function malformed(why = 'The XML you provided was not well-formed or did not validate.'): S3Error {
  return new S3Error('MalformedXML', why);
}

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
