import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleSettings, consolePage, consoleSettings } from '../../functions/api/pages/console.ts';
import { listModels } from '../../functions/api/videos/models.ts';
import { MAX_INLINE_BYTES } from '../../functions/submissions/check-body.ts';
import { offeredModels, priceOf } from '../../functions/wan/prices.ts';
import { bundle } from '../../infra/synth/bundle.ts';
import { aRequest } from '../functions/api/support.ts';
import { aDeployment } from '../support/videos.ts';

const wan = 'https://wan.example/api/v1';
const environment = {
  WAN_REGION: 'singapore',
  WAN_BASE_URL: wan,
  MODEL_PRICES: '{}',
  WATERMARK: 'requested',
  CATALOGUE: '{}',
  TRUSTED_ORIGINS: '["http://127.0.0.1:4402"]',
};
let response: APIGatewayProxyResult;
let html: string;
beforeAll(async () => {
  const { directory } = (await bundle()).get('console')!;
  Object.assign(process.env, environment);
  const { handler } = createRequire(import.meta.url)(directory) as {
    handler: (request: object) => Promise<APIGatewayProxyResult>;
  };
  response = await handler(aRequest({ resource: '/' }));
  html = response.body;
});
afterAll(() => {
  for (const name of Object.keys(environment)) delete process.env[name];
});

/** The attributes and contents of a page's elements of this name. */
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

describe('the deployed console', () => {
  test('is HTML that no other site may frame or get as a referrer', () => {
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(policyOf(response).get('frame-ancestors')).toEqual(["'none'"]);
  });

  test('allows only its own script and style, by their hashes', () => {
    const scripts = elements(html, 'script').filter(({ attributes }) => !attributes.includes('application/json'));
    const styles = elements(html, 'style');
    expect([scripts.length, styles.length]).toEqual([1, 1]);
    const policy = policyOf(response);
    expect(policy.get('default-src')).toEqual(["'none'"]);
    expect(policy.get('script-src')).toEqual([hashSource(scripts[0]!.content)]);
    expect(policy.get('style-src')).toEqual([hashSource(styles[0]!.content)]);
    expect(html.match(/<[^>]*\s(on\w+|style)=/g)).toBeNull();
  });

  test('connects to its own origin, S3 and trusted origins, and loads media from the last two', () => {
    const policy = policyOf(response);
    const storage = ['https://*.amazonaws.com', 'https://*.amazonaws.com.cn', 'http://127.0.0.1:4402'];
    expect(policy.get('connect-src')).toEqual(["'self'", ...storage]);
    expect(policy.get('media-src')).toEqual(storage);
    expect(policy.get('img-src')).toEqual(['data:', 'blob:', ...storage]);
  });

  test('loads nothing else: it contains no other address', () => {
    const addresses = html.match(/(?:https?:)?\/\/[\w.]+\.\w+/g) ?? [];
    expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([]);
    expect(html.match(/<(script|link|img|iframe)[^>]*\s(src|href)="(?!data:)/g)).toBeNull();
    expect(
      elements(html, 'script')
        .at(-1)!
        .content.match(/\bimport\b|\brequire\(/g),
    ).toBeNull();
  });

  test('inserts data as text, never as markup', () => {
    expect(html.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/g)).toBeNull();
    expect(policyOf(response).get('require-trusted-types-for')).toEqual(["'script'"]);
  });

  test('stores the key only for the tab', () => {
    const script = elements(html, 'script').at(-1)!.content;
    expect(script).toContain('sessionStorage');
    expect(script.match(/localStorage|indexedDB|document\.cookie/g)).toBeNull();
  });

  test('labels every control', () => {
    const labeled = new Set([...html.matchAll(/<label[^>]* for="([^"]+)"/g)].map(([, id]) => id));
    for (const [tag, id] of html.matchAll(/<(?:input|textarea|select)\b[^>]*\bid="([^"]+)"[^>]*>/g)) {
      expect(labeled.has(id) || tag.includes('aria-labelledby'), `${id} has a label`).toBe(true);
    }
  });

  test('contains the settings of its region', () => {
    expect(settingsIn(html)).toEqual(consoleSettings({ ...aDeployment(), base_url: wan }));
  });
});

describe('a page', () => {
  const parts = { html: '<!-- style --><!-- settings --><!-- script -->', style: 'b{}', script: 'let a = "$&";' };
  const settings = consoleSettings({ ...aDeployment('beijing'), base_url: wan });

  test('contains its parts unchanged', () => {
    const { body } = consolePage(parts, settings, []);
    expect(elements(body, 'script').at(-1)!.content).toBe(parts.script);
    expect(elements(body, 'style')[0]!.content).toBe(parts.style);
  });

  test('is not broken by hostile data', () => {
    const [model] = settings.models;
    const hostile = { ...settings, models: [{ ...model!, name: '</script><script>alert(1)</script>' }] };
    const { body } = consolePage(parts, hostile, []);
    expect(elements(body, 'script')).toHaveLength(2);
    expect(settingsIn(body)).toEqual(hostile);
  });

  test.each(['style', 'settings', 'script'])('must have one placeholder for its %s', (part) => {
    const without = { ...parts, html: parts.html.replace(`<!-- ${part} -->`, '') };
    expect(() => consolePage(without, settings, [])).toThrow(`one placeholder for its ${part}`);
  });
});

describe('the settings of the console', () => {
  test.each([
    ['singapore', 'USD'],
    ['beijing', 'CNY'],
  ] as const)('offer in %s every model of the API, at its prices in %s', (region, currency) => {
    const deployment = aDeployment(region);
    const { models } = consoleSettings(deployment);
    expect(models.map(({ name }) => name)).toEqual(offeredModels(deployment).map(({ name }) => name));
    for (const { name, resolutions, prices, currency: of } of models) {
      expect(of).toBe(currency);
      for (const resolution of resolutions) {
        expect(prices[resolution]).toBe(priceOf(name, resolution, 1, deployment)?.unit_price);
      }
    }
  });

  test.each(['singapore', 'beijing'] as const)('match GET /models in %s, which replaces them', async (region) => {
    const { body } = await listModels(
      { deployment: aDeployment(region), typicalSeconds: undefined, readSlowdown: async () => 1 },
      aRequest({ resource: '/models' }),
    );
    const { data } = JSON.parse(body) as { data: object[] };
    expect(data).toMatchObject(consoleSettings(aDeployment(region)).models);
    expect(data).toHaveLength(consoleSettings(aDeployment(region)).models.length);
  });

  test('contain the largest inline image of the API', () => {
    expect(consoleSettings({ ...aDeployment(), base_url: wan }).inline_image_bytes).toBe(MAX_INLINE_BYTES);
  });

  test.each([
    ['http://127.0.0.1:4401/api/v1', true],
    ['http://localhost:4401/api/v1', true],
    ['https://dashscope-intl.aliyuncs.com/api/v1', false],
  ])('with Wan at %s, mark videos as emulated: %s', (url, emulated) => {
    expect(consoleSettings({ ...aDeployment(), base_url: url }).emulated).toBe(emulated);
  });
});
