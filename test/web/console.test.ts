import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleSettings, consolePage, consoleSettings } from '../../functions/api/pages/console.ts';
import { listModels } from '../../functions/api/videos/models.ts';
import { MAX_INLINE_IMAGE_BYTES } from '../../functions/submissions/check-body.ts';
import { offeredModelNames } from '../../functions/wan/catalogue.ts';
import { priceOf } from '../../functions/wan/prices.ts';
import { bundle } from '../../infra/synth/bundle.ts';
import { aRequest } from '../functions/api/support.ts';

const given = { WAN_REGION: 'singapore', TRUSTED_ORIGINS: '["http://127.0.0.1:4402"]' };
let answer: APIGatewayProxyResult;
let html: string;
beforeAll(async () => {
  const { directory } = (await bundle()).get('console')!;
  Object.assign(process.env, given);
  const { handler } = createRequire(import.meta.url)(directory) as { handler: () => Promise<APIGatewayProxyResult> };
  answer = await handler();
  html = answer.body;
});
afterAll(() => {
  for (const name of Object.keys(given)) delete process.env[name];
});

/** The contents of a page's elements of this name, by their attributes. */
const elements = (page: string, name: string): { attributes: string; content: string }[] =>
  [...page.matchAll(new RegExp(`<${name}\\b([^>]*)>(.*?)</${name}>`, 'gs'))].map(([, attributes, content]) => ({
    attributes: attributes!.trim(),
    content: content!,
  }));
const policyOf = ({ headers }: APIGatewayProxyResult): Map<string, string[]> =>
  new Map(
    String(headers?.['content-security-policy'])
      .split('; ')
      .map((directive) => directive.split(' '))
      .map(([name, ...sources]) => [name!, sources]),
  );
const hashSource = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
const settingsIn = (page: string): ConsoleSettings =>
  JSON.parse(elements(page, 'script').find(({ attributes }) => attributes.includes('id="settings"'))!.content);

describe('the deployed page', () => {
  test('is HTML that no other site may frame, sniff or learn an address from', () => {
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(policyOf(answer).get('frame-ancestors')).toEqual(["'none'"]);
  });

  test('runs and styles itself with exactly what it holds: the policy names its script and its style by their hashes', () => {
    const scripts = elements(html, 'script').filter(({ attributes }) => !attributes.includes('application/json'));
    const styles = elements(html, 'style');
    expect([scripts.length, styles.length]).toEqual([1, 1]);
    const policy = policyOf(answer);
    expect(policy.get('default-src')).toEqual(["'none'"]);
    expect(policy.get('script-src')).toEqual([hashSource(scripts[0]!.content)]);
    expect(policy.get('style-src')).toEqual([hashSource(styles[0]!.content)]);
    expect(html.match(/<[^>]*\s(on\w+|style)=/g)).toBeNull();
  });

  test('talks to its own origin, to S3 and to the origins that the deployment trusts, and takes videos and pictures from the latter', () => {
    const policy = policyOf(answer);
    const storage = ['https://*.amazonaws.com', 'https://*.amazonaws.com.cn', 'http://127.0.0.1:4402'];
    expect(policy.get('connect-src')).toEqual(["'self'", ...storage]);
    expect(policy.get('media-src')).toEqual(storage);
    expect(policy.get('img-src')).toEqual(['data:', 'blob:', ...storage]);
  });

  test('is whole in one answer: it names no other address', () => {
    const addresses = html.match(/(?:https?:)?\/\/[\w.]+\.\w+/g) ?? [];
    expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([]);
    expect(html.match(/<(script|link|img|iframe)[^>]*\s(src|href)="(?!data:)/g)).toBeNull();
    expect(
      elements(html, 'script')
        .at(-1)!
        .content.match(/\bimport\b|\brequire\(/g),
    ).toBeNull();
  });

  test('writes what it is told as text, never as markup', () => {
    expect(html.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/g)).toBeNull();
    expect(policyOf(answer).get('require-trusted-types-for')).toEqual(["'script'"]);
  });

  test('keeps the key out of addresses and out of what outlives the tab', () => {
    const script = elements(html, 'script').at(-1)!.content;
    expect(script).toContain('sessionStorage');
    expect(script.match(/localStorage|indexedDB|document\.cookie/g)).toBeNull();
  });

  test('labels every control', () => {
    const labelled = new Set([...html.matchAll(/<label[^>]* for="([^"]+)"/g)].map(([, id]) => id));
    for (const [tag, id] of html.matchAll(/<(?:input|textarea|select)\b[^>]*\bid="([^"]+)"[^>]*>/g)) {
      expect(labelled.has(id) || tag.includes('aria-labelledby'), `${id} has a label`).toBe(true);
    }
  });

  test('gets the models of its region', () => {
    expect(settingsIn(html)).toEqual(consoleSettings('singapore'));
  });
});

describe('a page', () => {
  const parts = { html: '<!-- style --><!-- settings --><!-- script -->', style: 'b{}', script: 'let a = "$&";' };
  const settings = consoleSettings('beijing');

  test('holds its parts letter by letter', () => {
    const { body } = consolePage(parts, settings, []);
    expect(elements(body, 'script').at(-1)!.content).toBe(parts.script);
    expect(elements(body, 'style')[0]!.content).toBe(parts.style);
  });

  test('can not be ended by its data', () => {
    const [model] = settings.models;
    const hostile = { ...settings, models: [{ ...model!, name: '</script><script>alert(1)</script>' }] };
    const { body } = consolePage(parts, hostile, []);
    expect(elements(body, 'script')).toHaveLength(2);
    expect(settingsIn(body)).toEqual(hostile);
  });

  test.each(['style', 'settings', 'script'])('needs one place for its %s', (part) => {
    const without = { ...parts, html: parts.html.replace(`<!-- ${part} -->`, '') };
    expect(() => consolePage(without, settings, [])).toThrow(`one place for its ${part}`);
  });
});

describe('the settings of the page', () => {
  test.each([
    ['singapore', 'USD'],
    ['beijing', 'CNY'],
  ] as const)('offer in %s every model that the API takes, at its prices in %s', (region, currency) => {
    const { models } = consoleSettings(region);
    expect(models.map(({ name }) => name)).toEqual(offeredModelNames);
    for (const { name, resolutions, prices, currency: of } of models) {
      const known = offeredModelNames.find((offered) => offered === name)!;
      expect(of).toBe(currency);
      for (const resolution of resolutions) {
        expect(prices[resolution]).toBe(priceOf(known, resolution, 1, region)?.unit_price);
      }
    }
  });

  test.each(['singapore', 'beijing'] as const)(
    'say what GET /models says in %s, whose answer replaces them',
    (region) => {
      const { body } = listModels({ wanRegion: region, typicalSeconds: undefined }, aRequest({ resource: '/models' }));
      const { data } = JSON.parse(body) as { data: object[] };
      expect(data).toMatchObject(consoleSettings(region).models);
      expect(data).toHaveLength(consoleSettings(region).models.length);
    },
  );

  test('tell which picture goes with the request itself', () => {
    expect(consoleSettings('singapore').inline_image_bytes).toBe(MAX_INLINE_IMAGE_BYTES);
  });
});
