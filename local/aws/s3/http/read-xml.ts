import { S3Error } from '../errors.ts';

export interface XmlElement {
  /** Without its namespace prefix. */
  name: string;
  text: string;
  children: XmlElement[];
}

/**
 * Reads the small documents that S3 requests carry: elements and text. Attributes are skipped.
 * @throws `MalformedXML` for anything else, document types included (no entity but XML's own is ever expanded)
 */
export function readXml(document: string, root: string): XmlElement {
  const top: XmlElement = { name: '', text: '', children: [] };
  const open = [top];
  const token = /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<\/([^\s>]+)\s*>|<([^\s/>!?]+)(?:\s[^<>]*?)?(\/?)>|([^<]+)/y;
  while (token.lastIndex < document.length) {
    const match = token.exec(document);
    if (!match) throw malformed();
    const [, closing, opening, selfClosing, text] = match;
    const parent = open.at(-1)!;
    if (closing !== undefined) {
      if (open.length === 1 || localName(closing) !== parent.name) throw malformed();
      open.pop();
    } else if (opening !== undefined) {
      const element: XmlElement = { name: localName(opening), text: '', children: [] };
      parent.children.push(element);
      if (!selfClosing) open.push(element);
    } else if (text !== undefined) {
      parent.text += readText(text);
    }
  }
  const [element, ...others] = top.children;
  if (open.length !== 1 || !element || others.length > 0 || element.name !== root) throw malformed();
  return element;
}

export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Text of the first child of that name. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return childrenOf(element, name)[0]?.text;
}

export function malformed(why = 'The XML you provided was not well-formed or did not validate.'): S3Error {
  return new S3Error('MalformedXML', why);
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function readText(text: string): string {
  return text.replace(/&([^;&]*);?/g, (reference, name: string) => {
    const code = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(name);
    if (!reference.endsWith(';')) throw malformed();
    if (code) return fromCode(code[1] === undefined ? Number(code[2]) : Number.parseInt(code[1], 16));
    const sign = named[name];
    if (sign === undefined) throw malformed();
    return sign;
  });
}

function fromCode(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw malformed();
  return String.fromCodePoint(code);
}
