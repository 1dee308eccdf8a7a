/**
 * A text as a URL, or undefined if it is none.
 *
 * `URL.canParse` would be shorter, but Node 20's takes `https://bücher.example/` for malformed once its caller has been
 * optimised: letters between U+0080 and U+00FF are read as broken UTF-8.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
