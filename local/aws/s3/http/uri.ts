import { S3Error } from '../errors.ts';

/** Percent-encoding as Signature Version 4 wants it: everything but `A-Z a-z 0-9 - . _ ~`. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** As `uriEncode`, leaving the slashes of a path. */
export function uriEncodePath(path: string): string {
  return path.split('/').map(uriEncode).join('/');
}

/** Decodes percent-encoded UTF-8. S3 reads a bare `+` as a space, in paths as well: a plus sign must be sent as `%2B`. */
export function uriDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new S3Error('InvalidURI', 'The URI holds a percent-encoding that is not UTF-8.');
  }
}
