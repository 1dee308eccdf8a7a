import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { publicCaching } from '../http/conditional-requests.ts';

/** Directives of a Content-Security-Policy and their sources. */
type PagePolicy = Readonly<Record<string, readonly string[]>>;

/**
 * Returns a page in one response. The pages handle API keys, so the policy denies everything that it does not list, and no other site
 * may frame the page or receive its address as a referrer.
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
      ...publicCaching(html),
    },
    body: html,
  };
}

/** Replaces the placeholders of a page by its parts. @throws Error unless each part has exactly one placeholder */
export function fillPage(html: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((page, [name, part]) => {
    const [before, after, ...more] = page.split(`<!-- ${name} -->`);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`The page must have one placeholder for its ${name}.`);
    return before + part + after;
  }, html);
}

/** A data block, which browsers do not execute. Escapes `<`, since `</script>` would end the block. */
export const dataBlock = (id: string, json: string): string =>
  `<script type="application/json" id="${id}">${json.replaceAll('<', '\\u003c')}</script>`;

/** The policy source that allows a script or a style by its content. */
export const hashSource = (content: string): string =>
  `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
