import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ConsoleSettings } from './console-settings.ts';

/** What the page is put together from, as text. */
export interface ConsoleParts {
  /** Has a comment for each of the others: `<!-- style -->`, `<!-- settings -->`, `<!-- script -->`. */
  html: string;
  style: string;
  script: string;
}

/**
 * `GET /`: the console, whole in one answer. Its policy lets run what is in it and nothing else: a page that is given API keys
 * must not be talked into anything. It loads nothing from elsewhere but the videos, by their presigned links.
 * @param mediaOrigins where videos lie besides AWS's own S3: the local one, on a developer's machine
 */
export function consolePage(
  { html, style, script }: ConsoleParts,
  settings: ConsoleSettings,
  mediaOrigins: readonly string[],
): APIGatewayProxyResult {
  const body = fill(html, {
    style: `<style>${style}</style>`,
    // A data block, which no browser runs; `<` would be where it could end.
    settings: `<script type="application/json" id="settings">${JSON.stringify(settings).replaceAll('<', '\\u003c')}</script>`,
    script: `<script type="module">${script}</script>`,
  });
  const policy = {
    'default-src': ["'none'"],
    'script-src': [hashSource(script)],
    'style-src': [hashSource(style)],
    'connect-src': ["'self'"],
    'img-src': ['data:', 'blob:'],
    'media-src': ['https://*.amazonaws.com', 'https://*.amazonaws.com.cn', ...mediaOrigins],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
    'require-trusted-types-for': ["'script'"],
  };
  return {
    statusCode: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': Object.entries(policy)
        .map(([directive, sources]) => [directive, ...sources].join(' '))
        .join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    },
    body,
  };
}

/** @throws Error for a part whose place is not there exactly once */
function fill(html: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((page, [name, part]) => {
    const [before, after, ...more] = page.split(`<!-- ${name} -->`);
    if (before === undefined || after === undefined || more.length > 0)
      throw new Error(`The page must have one place for its ${name}.`);
    return before + part + after;
  }, html);
}

const hashSource = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
