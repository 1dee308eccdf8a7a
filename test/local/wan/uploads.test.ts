import { describe, expect, test } from 'vitest';
import { bodyFor, type Client, createClient, png, wanForTest } from './support.ts';

const model = 'wan2.2-i2v-flash';
const image = png(400, 400);
const resolve = { 'X-DashScope-OssResourceResolve': 'enable' };

/** Uploads as the published clients do; `change` replaces form fields. */
async function upload(client: Client, change: Readonly<Record<string, string>> = {}, file = image) {
  const { data } = (await client.policy(`?action=getPolicy&model=${model}`)).body;
  const fields: Record<string, string> = {
    OSSAccessKeyId: data.oss_access_key_id,
    Signature: data.signature,
    policy: data.policy,
    'x-oss-object-acl': data.x_oss_object_acl,
    'x-oss-forbid-overwrite': data.x_oss_forbid_overwrite,
    key: `${data.upload_dir}/cat.png`,
    success_action_status: '200',
    ...change,
  };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([new Uint8Array(file)]), 'cat.png');
  const reply = await client.send('POST', data.upload_host, {}, form);
  return { status: reply.status, body: reply.body, url: `oss://${fields.key}`, data };
}

const withImage = (img_url: string, of = model) => bodyFor(of, { input: { img_url } });

describe('an upload', () => {
  test('responds 200, and its oss:// URL works as a first frame', async () => {
    const { client } = await wanForTest();
    const uploaded = await upload(client);
    expect(uploaded.data).toEqual({
      policy: expect.any(String),
      signature: expect.any(String),
      upload_dir: expect.any(String),
      upload_host: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/),
      expire_in_seconds: 300,
      max_file_size_mb: expect.any(Number),
      capacity_limit_mb: expect.any(Number),
      oss_access_key_id: expect.any(String),
      x_oss_object_acl: 'private',
      x_oss_forbid_overwrite: 'true',
    });
    expect([uploaded.status, uploaded.body]).toEqual([200, '']);
    expect((await client.submit(withImage(uploaded.url), resolve)).status).toBe(200);
  });

  test('has no valid URL without the header that resolves it', async () => {
    const { client } = await wanForTest();
    const { url } = await upload(client);
    expect((await client.submit(withImage(url))).body).toMatchObject({
      code: 'InvalidParameter',
      message: 'url error, please check url！',
    });
  });

  test('is bound to its account and model and expires after 48 hours, also across a restart', async () => {
    const { client, clock, wan, directory } = await wanForTest();
    const { url } = await upload(client);
    const unable = { status: 400, body: { code: 'InvalidParameter.DataInspection' } };
    expect(await client.submit(withImage(url, 'wan2.2-i2v-plus'), resolve)).toMatchObject(unable);
    expect(await createClient(wan, 'sk-other').submit(withImage(url), resolve)).toMatchObject(unable);
    await wan.close();
    clock.advance(48 * 3600 - 1);
    const again = await wanForTest({ directory, now: clock.now });
    expect((await again.client.submit(withImage(url), resolve)).status).toBe(200);
    clock.advance(1);
    expect(await again.client.submit(withImage(url), resolve)).toMatchObject(unable);
  });

  test.each([
    ['with a wrong signature', { Signature: 'x' }, 403, 'SignatureDoesNotMatch'],
    ['outside its folder', { key: 'elsewhere/cat.png' }, 403, 'AccessDenied'],
  ])('%s is rejected as OSS does', async (_case, change, status, code) => {
    const { client } = await wanForTest();
    const rejected = await upload(client, change);
    expect(rejected.status).toBe(status);
    expect(rejected.body).toContain(`<Code>${code}</Code>`);
  });

  test('is checked like any image when it is used', async () => {
    const { client } = await wanForTest();
    const { url } = await upload(client, {}, png(100, 100));
    expect((await client.submit(withImage(url), resolve)).body.code).toBe('InvalidURL');
  });
});

test('rejects an expired policy and a second upload to the same key', async () => {
  const { client, clock } = await wanForTest();
  const { data } = (await client.policy(`?action=getPolicy&model=${model}`)).body;
  const send = () => {
    const form = new FormData();
    form.set('OSSAccessKeyId', data.oss_access_key_id);
    form.set('Signature', data.signature);
    form.set('policy', data.policy);
    form.set('key', `${data.upload_dir}/cat.png`);
    form.set('file', new Blob([new Uint8Array(image)]));
    return client.send('POST', data.upload_host, {}, form);
  };
  expect((await send()).status).toBe(204);
  expect((await send()).status).toBe(409);
  clock.advance(300);
  expect(await send()).toMatchObject({ status: 403, body: expect.stringContaining('Policy expired') });
});

test.each([
  ['?model=wan2.6-i2v', 400],
  ['?action=getPolicy', 400],
  ['?action=getPolicy&model=wan9', 404],
])('rejects the policy request %s with %i', async (query, status) => {
  const { client } = await wanForTest();
  expect((await client.policy(query)).status).toBe(status);
});
