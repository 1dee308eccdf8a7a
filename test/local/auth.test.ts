import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { sign } from '../support/sign.ts';

/** The behavior with the setting `auth`, on the deployed stack. */
const request = {
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png' },
};
const problem = (status: number) => ({
  status,
  body: expect.objectContaining({ status, code: expect.any(String), message: expect.any(String) }),
});

/** Uploads a file as a client of Wan's protocol does, by a form without a key. */
async function uploadByForm(policy: Record<string, unknown>): Promise<Response> {
  const data = policy as Record<string, string>;
  const form = new FormData();
  form.set('OSSAccessKeyId', data.oss_access_key_id!);
  form.set('Signature', data.signature!);
  form.set('policy', data.policy!);
  form.set('x-oss-object-acl', data.x_oss_object_acl!);
  form.set('x-oss-forbid-overwrite', data.x_oss_forbid_overwrite!);
  form.set('key', `${data.upload_dir}/cat.png`);
  form.set('success_action_status', '200');
  form.set('file', new Blob([new Uint8Array(png(640, 480))]), 'cat.png');
  return fetch(data.upload_host!, { method: 'POST', body: form });
}

describe('with tokens from an identity provider', () => {
  let api: Endpoint;
  let isUp = false;
  let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
  let issuer: string;
  const provider = createServer((_, response) => {
    void keySet().then((keys) => response.writeHead(isUp ? 200 : 503).end(keys));
  });
  let keySet = async () => '';
  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    privateKey = pair.privateKey;
    keySet = async () => JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1' }] });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    ({ endpoint: api } = await openLocal({
      auth: 'jwt',
      jwt: { issuer, audience: 'firstframe' },
      trustedOrigins: [issuer],
    }));
  });
  afterAll(async () => {
    provider.closeAllConnections();
    provider.close();
    await api?.close();
  });

  const tokenOf = (sub: string, audience = 'firstframe') =>
    new SignJWT({ sub })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('5m')
      .sign(privateKey);
  const as = async (sub: string, audience?: string) => ({ authorization: `Bearer ${await tokenOf(sub, audience)}` });

  test('an unavailable issuer is a server error until it is available again', async () => {
    const headers = await as('auth0|1');
    expect(await api.call('/videos', { headers })).toMatchObject(problem(500));
    isUp = true;
    expect((await api.call('/videos', { headers })).status).toBe(200);
  });

  test('a token gives its owner access to their own videos only', async () => {
    const created = await api.post('/videos', request, await as('alice'));
    expect(created.status).toBe(202);
    const route = `/videos/${created.body.id}`;
    expect((await api.call(route, { headers: await as('alice') })).status).toBe(200);
    expect((await api.call(route, { headers: await as('bob') })).status).toBe(404);
  });

  test('rejects API keys and tokens for another audience', async () => {
    for (const headers of [{}, { authorization: 'Basic x' }, await as('alice', 'other')]) {
      expect(await api.call('/videos', { headers })).toMatchObject(problem(401));
    }
  });

  test('a file is uploaded only with the upload token that was issued for it', async () => {
    const policyResponse = await api.call('/api/v1/uploads?action=getPolicy&model=wan2.2-i2v-flash', {
      headers: await as('alice'),
    });
    expect(policyResponse.status).toBe(200);
    const policy = policyResponse.body.data as Record<string, unknown>;
    expect((await uploadByForm(policy)).status).toBe(200);
    const withToken = `/api/v1/uploads?upload_token=${await tokenOf('alice')}`;
    expect(await api.call(withToken, { method: 'POST', headers: await as('alice') })).toMatchObject(problem(401));
  });
});

describe('with AWS signatures', () => {
  let api: Endpoint;
  let host: string;
  beforeAll(async () => {
    ({ endpoint: api } = await openLocal({ auth: 'iam' }));
    host = new URL(api.url).host;
  });
  afterAll(() => api?.close());

  const call = async (
    path: string,
    options: { method?: string; body?: string; query?: Record<string, string> } = {},
  ) => {
    const headers = await sign({ host, path, headers: { 'content-type': 'application/json' }, ...options });
    const { method = 'GET', body, query } = options;
    const target = query ? `${path}?${new URLSearchParams(query)}` : path;
    return api.call(target, { method, headers, ...(body === undefined ? {} : { body }) });
  };

  test('a signature gives its owner access', async () => {
    const created = await call('/videos', { method: 'POST', body: JSON.stringify(request) });
    expect(created.status).toBe(202);
    expect((await call(`/videos/${created.body.id}`)).body).toMatchObject({ id: created.body.id });
    const { body } = await call('/videos', { query: { limit: '10' } });
    expect((body.data as { id: string }[]).map(({ id }) => id)).toEqual([created.body.id]);
  });

  test('rejects unsigned requests and asks for a signature', async () => {
    for (const path of ['/videos', '/videos/1', '/models', '/api/v1/tasks/1', '/', '/nowhere']) {
      const response = await fetch(`${api.url}${path}`);
      expect([path, response.status, await response.json()]).toEqual([
        path,
        401,
        expect.objectContaining({ message: expect.stringMatching(/Signature Version 4.*method and path/) }),
      ]);
    }
    expect(await api.call('/videos')).toMatchObject(problem(401));
  });

  test('the public routes need no credentials', async () => {
    for (const path of ['/health', '/openapi.json', '/docs']) {
      expect([path, (await fetch(`${api.url}${path}`)).status]).toEqual([path, 200]);
    }
  });

  test('a file is uploaded with the token that a signed request received', async () => {
    const policyResponse = await call('/api/v1/uploads', { query: { action: 'getPolicy', model: 'wan2.2-i2v-flash' } });
    expect(policyResponse.status).toBe(200);
    expect((await uploadByForm(policyResponse.body.data as Record<string, unknown>)).status).toBe(200);
    expect(await call('/api/v1/uploads', { method: 'POST' })).toMatchObject(problem(401));
  });
});
