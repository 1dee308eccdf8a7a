import { parseXML } from '@aws-sdk/xml-builder';
import { S3Error } from '../errors.ts';

/** An XML element: its text, or its children by name with the text as `#text`. */
export type XmlElement = string | { [name: string]: XmlElement | XmlElement[] };

/**
 * Parses an XML document of an S3 request.
 * @throws `MalformedXML`, also for a document type: only XML's predefined entities are supported
 */
export function readXml(document: string, root: string): XmlElement {
  if (/<!doctype/i.test(document) || unknownReference.test(document)) throw malformedXml();
  let wrapped: XmlElement;
  try {
    // The parser ignores what follows the root element, so the document is wrapped in another element.
    wrapped = parseXML(`<document>${decodeLargeReferences(document)}</document>`).document;
  } catch {
    throw malformedXml();
  }
  const [element, ...otherElements] = childrenOf(wrapped, root);
  const isOnlyElement =
    otherElements.length === 0 && namesOf(wrapped).length === 1 && !textOf(wrapped, '#text')?.trim();
  if (element === undefined || !isOnlyElement) throw malformedXml();
  return element;
}

export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  const child = typeof element === 'string' ? undefined : element[name];
  return child === undefined ? [] : [child].flat();
}

/** Returns the text of the first child with a name. */
export function textOf(element: XmlElement, name: string): string | undefined {
  const [child] = childrenOf(element, name);
  return typeof child === 'object' ? (textOf(child, '#text') ?? '') : child;
}

/** Returns the names of the children, without namespaces. */
export function namesOf(element: XmlElement): string[] {
  if (typeof element === 'string') return [];
  return Object.keys(element).filter((name) => name !== '#text' && !name.startsWith('xmlns'));
}

/** The parser would replace an unknown reference by nothing. */
const unknownReference = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)/;

/** Decodes references beyond U+FFFF, which the parser truncates. */
function decodeLargeReferences(document: string): string {
  return document.replace(/&#(?:x([0-9a-fA-F]+)|([0-9]+));/g, (reference, hex, decimal) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (code >= 0xd800 && code <= 0xdfff) throw malformedXml();
    return code > 0xffff ? String.fromCodePoint(code) : reference;
  });
}

export function malformedXml(message = 'The XML you provided was not well-formed or did not validate.'): S3Error {
  return new S3Error('MalformedXML', message);
}

/**
 * The content of an element: text, children in order, or an array for repeated elements. Undefined elements are
 * omitted.
 */
export type XmlContent = string | number | boolean | undefined | readonly XmlContent[] | { [name: string]: XmlContent };

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/**
 * Writes a document with S3's namespace.
 * @example writeXml('Tagging', { TagSet: { Tag: [{ Key: 'a', Value: 'b' }] } })
 */
export function writeXml(root: string, content: XmlContent): string {
  return `${declaration}<${root} xmlns="${namespace}">${writeContent(content)}</${root}>`;
}

/** Error documents have no namespace. */
export function writeErrorXml(content: XmlContent): string {
  return `${declaration}<Error>${writeContent(content)}</Error>`;
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

function writeElement(name: string, content: XmlContent): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((item) => writeElement(name, item)).join('');
  return `<${name}>${writeContent(content)}</${name}>`;
}

function writeContent(content: XmlContent): string {
  if (typeof content !== 'object') return writeText(String(content ?? ''));
  return Object.entries(content)
    .map(([name, child]) => writeElement(name, child))
    .join('');
}

/** XML 1.0 does not allow control characters; S3 writes them as references anyway. */
function writeText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  return text.replace(/[&<>"\u0000-\u001f]/g, (char) => entities[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
