import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uploadPolicyResponseBody } from '../../functions/api/dashscope/schemas.ts';
import type { LocalStack } from '../../local/stack.ts';
import { companySettings } from '../infra/support.ts';
import { openBrowser } from '../support/browser.ts';
import { openLocal } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';

/** Browsers resolve it to the loopback address; other clients here send it as the `Host`. */
const name = 'firstframe.localhost';
const certificateArn = 'arn:aws:acm:us-east-1:000000000000:certificate/5f0b5c0c-8f5e-4d8a-9a54-0c2b6a3f7a11';

describe.each([
  ['at its root', { domain: { name, certificateArn } }, ''],
  [
    'below a base path, with all other settings of companies',
    { ...companySettings, domain: { name, certificateArn, basePath: 'wan' } },
    '/wan',
  ],
])('under a domain name, the API %s', (_, settings, path) => {
  let stack: LocalStack;
  /** Like the output `DomainUrl`. */
  let root: string;
  beforeAll(async () => {
    ({ stack } = await openLocal(settings));
    root = `http://${name}:${new URL(stack.api_url).port}${path}/`;
  });
  afterAll(() => stack?.close());

  /** Sends a request to an address under the domain, as a client resolves it. */
  const call = async (address: string, init: RequestInit = {}) => {
    const prepared = new Request(new URL(address, root), {
      ...init,
      headers: { authorization: 'Bearer local', ...init.headers },
    });
    const body = Buffer.from(await prepared.arrayBuffer());
    const sent = request(prepared.url, {
      method: prepared.method,
      headers: { ...Object.fromEntries(prepared.headers), 'content-length': body.length },
      lookup: (_name, _options, found) => found(null, [{ address: '127.0.0.1', family: 4 }]),
    }).end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const answer = await text(response);
    const isJson = /json/.test(response.headers['content-type'] ?? '');
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson && answer ? JSON.parse(answer) : answer,
    };
  };
  const post = (address: string, body: unknown, headers: Record<string, string> = {}) =>
    call(address, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { ...headers, 'content-type': 'application/json' },
    });
  async function ended(address: string, statusOf: (body: never) => string) {
    for (;;) {
      const { status, body } = await call(address);
      expect(status).toBe(200);
      if (/^succeeded$/i.test(statusOf(body as never))) return body;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  test('returns addresses of videos, content and further pages that lead back to it', async () => {
    for (const address of ['videos', 'videos/']) {
      const created = await post(
        address,
        aRequest('A cat runs', { input: { prompt: 'A cat', img_url: pngUrl(640, 480) } }),
      );
      expect(created.status).toBe(202);
      const location = new URL(String(created.headers.location), new URL(address, root));
      expect(location.href).toBe(`${root}videos/${created.body.id}`);
      await ended(location.href, ({ status }: { status: string }) => status);
      const content = await call(`videos/${created.body.id}/content`);
      expect(content.status).toBe(302);
      expect((await fetch(String(content.headers.location))).status).toBe(200);
    }
    const page = await call('videos?limit=1');
    expect(page.body.data).toHaveLength(1);
    for (const [, target] of String(page.headers.link ?? '').matchAll(/<([^>]*)>/g)) {
      const next = new URL(target!, `${root}videos?limit=1`).href;
      expect(next.startsWith(`${root}videos?`)).toBe(true);
      expect((await call(next)).status).toBe(200);
    }
  });

  test('is described by its contract with its own address', async () => {
    const { body } = await call('openapi.json');
    for (const { url } of body.servers)
      expect(new URL(`${url}/videos`, `${root}openapi.json`).href).toBe(`${root}videos`);
  });

  test("serves Wan's protocol: a file is uploaded to the address in its policy and becomes a video", async () => {
    const model = 'wan2.2-i2v-flash';
    const sdkHeaders = { 'X-DashScope-Async': 'enable', 'X-DashScope-OssResourceResolve': 'enable' };
    const asked = await call(`api/v1/uploads?action=getPolicy&model=${model}`);
    const { upload_host, upload_dir } = uploadPolicyResponseBody.parse(asked.body).data;
    expect(upload_host.startsWith(`${root}api/v1/uploads?upload_token=`)).toBe(true);
    const form = new FormData();
    form.set('key', `${upload_dir}/cat.png`);
    form.set('success_action_status', '200');
    form.set('file', new Blob([new Uint8Array(png(640, 480))]), 'cat.png');
    expect((await call(upload_host, { method: 'POST', body: form, headers: { authorization: '' } })).status).toBe(200);

    const input = { prompt: 'A cat runs', img_url: `oss://${upload_dir}/cat.png` };
    const { body } = await post('api/v1/services/aigc/video-generation/video-synthesis', { model, input }, sdkHeaders);
    const address = `api/v1/tasks/${body.output.task_id}`;
    const task = await ended(address, ({ output }: { output: { task_status: string } }) => output.task_status);
    const link = task.output.video_url;
    expect(link.startsWith(`${root}api/v1/files/`)).toBe(true);
    const { status, headers } = await call(link, { headers: { authorization: '' } });
    expect(status).toBe(302);
    expect((await fetch(headers.location!)).status).toBe(200);
  });

  test('serves the console and its documentation, which call it at its own address', async () => {
    const browser = await openBrowser();
    try {
      const requested: string[] = [];
      for (const address of path === '' ? [root] : [root, root.slice(0, -1)]) {
        const page = await (await browser.newContext()).newPage();
        page.on('request', (request) => requested.push(request.url()));
        await page.goto(address);
        await page.fill('#key', 'local');
        const listed = page.waitForResponse((found) => new URL(found.url()).pathname === `${path}/videos`);
        await page.press('#key', 'Enter');
        expect((await listed).status()).toBe(200);
        await page.click('a[data-route="docs"]');
        await page.waitForURL(`${root}docs`);
      }
      expect(requested.filter((url) => !url.startsWith(root.slice(0, -1)) && !url.startsWith(stack.aws_url))).toEqual(
        [],
      );
    } finally {
      await browser.close();
    }
  }, 120_000);

  test('answers at the address of API Gateway too', async () => {
    expect((await fetch(`${stack.api_url}/health`)).status).toBe(200);
    if (path === '') return;
    const { status, body } = await call('/health');
    expect({ status, body }).toEqual({ status: 403, body: { message: 'Forbidden' } });
  });
});
