import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { docsPage } from '../../functions/api/pages/docs.ts';
import { bundle } from '../../infra/synth/bundle.ts';
import { aRequest } from '../functions/api/support.ts';

let response: APIGatewayProxyResult;
beforeAll(async () => {
  const { directory } = (await bundle()).get('contract')!;
  vi.stubEnv('CORS', '[]');
  vi.stubEnv('ROUTE_METHODS', '{"/docs":["GET"]}');
  type Handler = (request: object) => Promise<APIGatewayProxyResult>;
  const require = createRequire(import.meta.url);
  // Another test file of this process may have loaded the bundle with another environment.
  delete require.cache[require.resolve(directory)];
  const { handler } = require(directory) as { handler: Handler };
  delete require.cache[require.resolve(directory)];
  response = await handler({ ...aRequest({ resource: '/docs' }), httpMethod: 'GET' });
});

afterAll(() => vi.unstubAllEnvs());

const policyOf = ({ headers }: APIGatewayProxyResult): string[] =>
  String(headers?.['content-security-policy']).split('; ');
const scriptsOf = (page: string): string[] =>
  [...page.matchAll(/<script type="module">(.*?)<\/script>/gs)].map(([, content]) => content!);

describe('the page of the contract', () => {
  test('runs only its own script and connects only to its own origin', () => {
    const [script, ...others] = scriptsOf(response.body);
    expect(others).toEqual([]);
    const hash = createHash('sha256').update(script!).digest('base64');
    expect(policyOf(response)).toEqual([
      "default-src 'none'",
      `script-src 'sha256-${hash}'`,
      "style-src 'unsafe-inline'",
      "connect-src 'self'",
      'img-src data:',
      'trusted-types lit-html',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]);
    expect(response.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });

  test('loads no script, style, image or font from another address', () => {
    const markup = response.body.replaceAll(/(<script[^>]*>).*?(<\/script>)/gs, '$1$2');
    expect(markup.match(/<(script|link|img|iframe)[^>]*\s(src|href)="(?!data:)/g)).toBeNull();
    expect(markup.match(/url\((?!["']?data:)/g)).toBeNull();
    expect(response.body.match(/@import|@font-face/g)).toBeNull();
  });

  test('is not broken by a hostile contract', () => {
    const contract = JSON.stringify({ info: { title: '</script><script>alert(1)</script>' } });
    const parts = { html: '<!-- style --><!-- contract --><!-- script -->', style: '', script: '', contract };
    const { body } = docsPage(parts);
    expect(body.match(/<script/g)).toHaveLength(2);
    const block = /<script type="application\/json" id="contract">(.*?)<\/script>/s.exec(body)![1]!;
    expect(JSON.parse(block)).toEqual(JSON.parse(contract));
  });
});
