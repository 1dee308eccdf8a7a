import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';

/** What a page may load and do: directives of a Content-Security-Policy, with their sources. */
type PagePolicy = Readonly<Record<string, readonly string[]>>;

/**
 * A page, whole in one answer. A page that is given API keys must not be talked into anything: what its policy does not allow is
 * forbidden, and no other site may frame it, sniff at it or learn its address.
 */
export function pageResponse(html: string, policy: PagePolicy): APIGatewayProxyResult {
  const directives: PagePolicy = {
    'default-src': ["'none'"],
    ...policy,
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
    'require-trusted-types-for': ["'script'"],
  };
  return {
    statusCode: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': Object.entries(directives)
        .map(([directive, sources]) => [directive, ...sources].join(' '))
        .join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    },
    body: html,
  };
}

/** Puts parts in the place of the comments that name them. @throws Error for a part whose place is not there exactly once */
export function fillPage(html: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((page, [name, part]) => {
    const [before, after, ...more] = page.split(`<!-- ${name} -->`);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`The page must have one place for its ${name}.`);
    return before + part + after;
  }, html);
}

/** A data block, which no browser runs. @param json as text; in it `<` would be where the block could end */
export const dataBlock = (id: string, json: string): string =>
  `<script type="application/json" id="${id}">${json.replaceAll('<', '\\u003c')}</script>`;

/** How a policy names a script or a style by its content. */
export const hashSource = (content: string): string =>
  `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
