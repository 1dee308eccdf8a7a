import { createRequire } from 'node:module';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApiRequest } from '../../../../functions/api/http/request.ts';
import document from '../../../../functions/api/openapi/document.ts';
import { bundle } from '../../../../infra/synth/bundle.ts';

type Handler = (request: Partial<ApiRequest>) => Promise<APIGatewayProxyResult>;
let handler: Handler;
beforeAll(async () => {
  const { directory } = (await bundle()).get('contract')!;
  vi.stubEnv('CORS', '["https://app.example"]');
  vi.stubEnv('ROUTE_METHODS', '{"/videos":["GET","HEAD","OPTIONS","POST"]}');
  const require = createRequire(import.meta.url);
  // Another test file of this process may have loaded the bundle with another environment.
  delete require.cache[require.resolve(directory)];
  const deployed = require(directory) as { handler: Handler };
  handler = (request) => deployed.handler({ httpMethod: 'GET', requestContext: {}, ...request });
});

afterAll(() => vi.unstubAllEnvs());

describe('the deployed contract', () => {
  test('is the generated document, built before the function starts', async () => {
    const { statusCode, headers, body } = await handler({ resource: '/openapi.json', headers: {} });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'access-control-allow-origin': '*' });
    expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test.each(['/openapi.json', '/docs'])('answers a known ETag of %s with 304', async (resource) => {
    const { headers } = await handler({ resource, headers: {} });
    const etag = String(headers!.etag);
    const again = await handler({ resource, headers: { 'If-None-Match': etag } });
    expect(again).toMatchObject({ statusCode: 304, body: '', headers: { etag, vary: expect.any(String) } });
    expect(again.headers).not.toHaveProperty('content-type');
    const other = await handler({ resource, headers: { 'If-None-Match': '"another"' } });
    expect(other.statusCode).toBe(200);
  });

  test('and its page fit into a Lambda response', async () => {
    for (const resource of ['/openapi.json', '/docs']) {
      const response = await handler({ resource, headers: {} });
      expect(JSON.stringify(response).length).toBeLessThan(2_000_000);
    }
  });

  test('answers other methods of every route, with the headers for its origins', async () => {
    const origin = { Origin: 'https://app.example' };
    expect(await handler({ resource: '/videos', httpMethod: 'PUT', headers: origin })).toMatchObject({
      statusCode: 405,
      headers: { allow: 'GET, HEAD, OPTIONS, POST', 'access-control-allow-origin': 'https://app.example' },
    });
    await expect(handler({ resource: '/', httpMethod: 'PUT', headers: {} })).rejects.toThrow('/');
  });
});
