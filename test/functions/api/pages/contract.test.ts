import { createRequire } from 'node:module';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeAll, describe, expect, test } from 'vitest';
import document from '../../../../functions/api/openapi/document.ts';
import { bundle } from '../../../../infra/synth/bundle.ts';

type Handler = (request: { resource: string; headers: Record<string, string> }) => Promise<APIGatewayProxyResult>;
let handler: Handler;
beforeAll(async () => {
  const { directory } = (await bundle()).get('contract')!;
  ({ handler } = createRequire(import.meta.url)(directory) as { handler: Handler });
});

describe('the deployed contract', () => {
  test('is the generated document, built before the function starts', async () => {
    const { statusCode, headers, body } = await handler({ resource: '/openapi.json', headers: {} });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'access-control-allow-origin': '*' });
    expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test('answers a known ETag with 304', async () => {
    const { headers } = await handler({ resource: '/openapi.json', headers: {} });
    const etag = String(headers!.etag);
    const again = await handler({ resource: '/openapi.json', headers: { 'If-None-Match': etag } });
    expect(again).toMatchObject({ statusCode: 304, body: '', headers: { etag, 'access-control-allow-origin': '*' } });
    const other = await handler({ resource: '/openapi.json', headers: { 'If-None-Match': '"another"' } });
    expect(other.statusCode).toBe(200);
  });

  test('and its page fit into a Lambda response', async () => {
    for (const resource of ['/openapi.json', '/docs']) {
      const response = await handler({ resource, headers: {} });
      expect(JSON.stringify(response).length).toBeLessThan(2_000_000);
    }
  });

  test('are the only routes of the function', async () => {
    await expect(handler({ resource: '/videos', headers: {} })).rejects.toThrow('/videos');
  });
});
