import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { createUploadToken, readUploadToken } from '../../../../functions/api/auth/upload-token.ts';
import { errorBody, uploadPolicyResponseBody } from '../../../../functions/api/dashscope/schemas.ts';
import { MAX_UPLOAD_BYTES } from '../../../../functions/api/dashscope/upload-policy.ts';
import { readVideo } from '../../../../functions/video/store.ts';
import { mp3, wav } from '../../../local/wan/support.ts';
import { startTable } from '../../../support/table.ts';
import { png } from '../../media/support.ts';
import { aDashscope, aDashscopeRequest } from './support.ts';

const store = startTable();
let dashscope: ReturnType<typeof aDashscope>;
beforeEach(() => {
  dashscope = aDashscope(store.table);
});

const getPolicy = 'uploads?action=getPolicy&model=wan2.5-i2v-preview';
const image = new Uint8Array(png(400, 400));

/** A form of the SDK for Python, without the fields that are null. */
async function aForm(overrides: Record<string, string | Uint8Array | null>, fileName = 'cat.png') {
  const fields = {
    ...{ OSSAccessKeyId: 'firstframe', Signature: 'upload_token', policy: 'e30=', key: null },
    ...{ 'x-oss-object-acl': 'private', 'x-oss-forbid-overwrite': 'true', success_action_status: '200' },
    ...{ 'x-oss-content-type': 'image/png', file: image, ...overrides },
  };
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.set(name, value);
    else if (value) form.set(name, new Blob([new Uint8Array(value)]), fileName);
  }
  const sent = new Response(form);
  return { type: sent.headers.get('content-type')!, bytes: new Uint8Array(await sent.arrayBuffer()) };
}

async function upload(
  overrides: Record<string, string | Uint8Array | null>,
  { upload_id = randomUUID(), owner = 'alice', fileName = 'cat.png', token = '' } = {},
) {
  const upload_token = token || (await createUploadToken(store.table, { owner, key_id: 'k1' }, { upload_id })).token;
  const { type, bytes } = await aForm({ key: `firstframe/${upload_id}/${fileName}`, ...overrides }, fileName);
  const headers = { 'content-type': type };
  const path = `uploads?${new URLSearchParams({ upload_token })}`;
  const response = await dashscope.call({ method: 'POST', path, headers, body: bytes, upload_id, owner });
  return { ...response, upload_id, key: `uploads/${owner}/${upload_id}/${fileName}` };
}

describe('getPolicy', () => {
  test('returns the requested address with an upload token as authorization', async () => {
    const { status, body } = await dashscope.call({ path: getPolicy });
    expect(status).toBe(200);
    const { data } = uploadPolicyResponseBody.parse(body);
    expect(data).toMatchObject({
      upload_dir: expect.stringMatching(/^firstframe\/[0-9a-f-]{36}$/),
      max_file_size_mb: 4,
      x_oss_object_acl: 'private',
      x_oss_forbid_overwrite: 'true',
      expire_in_seconds: expect.any(Number),
    });
    const address = new URL(data.upload_host);
    expect(`${address.origin}${address.pathname}`).toBe(
      'https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1/api/v1/uploads',
    );
    const token = address.searchParams.get('upload_token') ?? '';
    expect(await readUploadToken(store.table, token)).toEqual({
      owner: 'alice',
      key_id: 'key of alice',
      upload_id: data.upload_dir.slice('firstframe/'.length),
    });
  });

  test.each([
    [
      'a custom domain with a base path',
      'videos.example.com',
      '/wan/api/v1/uploads/',
      'https',
      'https://videos.example.com/wan/api/v1/uploads',
    ],
    ['a local server', '127.0.0.1:4400', '/api/v1/uploads', 'http', 'http://127.0.0.1:4400/api/v1/uploads'],
  ])('uses the address of %s', async (_, domainName, path, protocol, expected) => {
    const request = aDashscopeRequest({ path: getPolicy, headers: { 'X-Forwarded-Proto': protocol } });
    const requestContext = { ...request.requestContext, domainName, path };
    const { body } = await dashscope.handle({ ...request, requestContext });
    expect(JSON.parse(body).data.upload_host.split('?')[0]).toBe(expected);
  });

  test.each([
    ['uploads', 400, 'InvalidParameter', 'action'],
    ['uploads?action=delete&model=wan2.5-i2v-preview', 400, 'InvalidParameter', 'action'],
    ['uploads?action=getPolicy', 400, 'InvalidParameter', 'Field required: model'],
    ['uploads?action=getPolicy&model=wan9', 404, 'ModelNotFound', 'Model can not be found.'],
  ])('refuses %s', async (path, status, code, message) => {
    const response = await dashscope.call({ path });
    expect(response).toMatchObject({ status, body: { code, message: expect.stringContaining(message) } });
  });
});

describe('an upload', () => {
  test('is stored under its owner and upload id with the content type of its bytes', async () => {
    const { status, body, key } = await upload({ 'x-oss-content-type': 'text/html' });
    expect([status, body]).toEqual([200, { request_id: 'request-1' }]);
    expect([...dashscope.files]).toEqual([[key, { bytes: Buffer.from(image), content_type: 'image/png' }]]);
  });

  test.each([
    ['a WAV file', new Uint8Array(wav(4)), 'audio/wav'],
    ['an MP3 file with a tag', new Uint8Array(mp3(4)), 'audio/mpeg'],
    ['an MP3 file without a tag', new Uint8Array(mp3(4).subarray(20)), 'audio/mpeg'],
  ])('accepts %s', async (_, file, content_type) => {
    const { status, key } = await upload({ file });
    expect([status, dashscope.files.get(key)?.content_type]).toEqual([200, content_type]);
  });

  test.each([
    ['cat.png'],
    ['cat é & 100%+1 猫.png'],
    ['.png'],
    ['👨‍👩‍👧.jpg'],
    ['می‌خواهم.png'],
    ['\u200ephoto\u200f.jpg'],
    ['\u202ascan\u202c.png'],
    ['\u2067תמונה\u2069.png'],
    ['क्‍ष\ufeff\u00ad.png'],
    ['🏴\u{e0067}\u{e0062}\u{e007f}.png'],
  ])('named %s can be used as the image of a task', async (fileName) => {
    const { status, upload_id } = await upload({}, { fileName });
    expect(status).toBe(200);
    const created = await dashscope.call({
      method: 'POST',
      path: 'services/aigc/video-generation/video-synthesis',
      headers: { 'X-DashScope-Async': 'enable', 'X-DashScope-OssResourceResolve': 'enable' },
      body: { model: 'wan2.5-i2v-preview', input: { img_url: `oss://firstframe/${upload_id}/${fileName}` } },
    });
    expect([created.status, created.body]).toEqual([200, expect.anything()]);
    expect(await readVideo(store.table, created.body.output.task_id)).toMatchObject({
      input: { media: [{ file: { content_type: 'image/png', width: 400, height: 400 } }] },
    });
  });

  test('cannot be used by another owner', async () => {
    const { upload_id } = await upload({});
    const stolen = await dashscope.call({
      method: 'POST',
      owner: 'bob',
      path: 'services/aigc/video-generation/video-synthesis',
      headers: { 'X-DashScope-Async': 'enable' },
      body: { model: 'wan2.5-i2v-preview', input: { img_url: `oss://firstframe/${upload_id}/cat.png` } },
    });
    expect(stolen).toMatchObject({ status: 400, body: { code: 'InvalidParameter.DataInspection' } });
  });

  test('is never overwritten', async () => {
    const { upload_id, key } = await upload({});
    expect(await upload({ file: new Uint8Array(png(500, 500)) }, { upload_id })).toMatchObject({
      status: 400,
      body: { code: 'InvalidParameter', message: expect.stringContaining('overwriting is forbidden') },
    });
    expect(dashscope.files.get(key)?.bytes).toEqual(Buffer.from(image));
  });

  test('is limited to ten files per token; refused files do not count', async () => {
    const upload_id = randomUUID();
    const { token } = await createUploadToken(store.table, { owner: 'alice', key_id: 'k1' }, { upload_id });
    const send = (fileName: string, file = image) => upload({ file }, { upload_id, token, fileName });
    expect((await send('invalid.png', new Uint8Array(1))).status).toBe(400);
    const sent = await Promise.all(Array.from({ length: 12 }, (_, at) => send(`${at}.png`)));
    expect(sent.map(({ status }) => status).sort()).toEqual([...Array(10).fill(200), 403, 403]);
    expect(sent.find(({ status }) => status === 403)?.body).toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining('10 files'),
    });
    expect(dashscope.files.size).toBe(10);
  });

  test('is accepted up to the size limit and refused above it', async () => {
    const large = new Uint8Array(MAX_UPLOAD_BYTES + 1);
    large.set(image);
    expect((await upload({ file: large.subarray(0, MAX_UPLOAD_BYTES) })).status).toBe(200);
    expect(await upload({ file: large })).toMatchObject({
      status: 400,
      body: { code: 'BadRequest.TooLarge', message: expect.stringContaining(`at most ${MAX_UPLOAD_BYTES}`) },
    });
  });

  test('is refused without a token', async () => {
    const { type, bytes } = await aForm({ key: `firstframe/${randomUUID()}/cat.png` });
    const response = await dashscope.call({
      method: 'POST',
      path: 'uploads',
      headers: { 'content-type': type },
      body: bytes,
    });
    expect(response).toMatchObject({ status: 403, body: { code: 'AccessDenied' } });
  });

  const id = randomUUID();
  test.each([
    ['in the directory of another upload', `firstframe/${randomUUID()}/cat.png`],
    ['in no directory', 'cat.png'],
    ['deeper in the directory', `firstframe/${id}/a/cat.png`],
    ['above the directory', `firstframe/${id}/../cat.png`],
    ['equal to the directory', `firstframe/${id}/`],
    ['that is ".."', `firstframe/${id}/..`],
    ['with a back slash', `firstframe/${id}/a\\cat.png`],
    ['with a control character', `firstframe/${id}/cat\u0000.png`],
    ['with a line break', `firstframe/${id}/cat\n.png`],
    ['with a C1 control character', `firstframe/${id}/cat\u0085.png`],
    ['that hides its extension by a direction override', `firstframe/${id}/cat\u202egnp.exe`],
    ['with a left-to-right override', `firstframe/${id}/\u202dcat.png`],
    ['that is too long', `firstframe/${id}/${'é'.repeat(128)}`],
  ])('is refused with a key %s', async (_, key) => {
    expect(await upload({ key }, { upload_id: id })).toMatchObject({
      status: 403,
      body: { code: 'AccessDenied', message: expect.stringMatching(/^Invalid according to Policy/) },
    });
    expect(dashscope.files.size).toBe(0);
  });

  test.each([
    ['a file of another kind', { file: new TextEncoder().encode('<html>') }],
    ['an empty file', { file: new Uint8Array(0) }],
    ['a text instead of a file', { file: 'cat.png' }],
    ['no file', { file: null }],
  ])('refuses %s', async (_, overrides) => {
    const response = await upload(overrides);
    expect(response).toMatchObject({ status: 400, body: { code: 'InvalidParameter' } });
    errorBody.parse(response.body);
  });
});

test('stores a form of .NET, which quotes the boundary but not the names', async () => {
  const upload_id = randomUUID();
  const { token } = await createUploadToken(store.table, { owner: 'alice', key_id: 'k1' }, { upload_id });
  const part = (disposition: string) => `--5f0c\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(`${part('name=key')}firstframe/${upload_id}/cat.png\r\n`),
    Buffer.from(part("name=file; filename=cat.png; filename*=utf-8''cat.png")),
    image,
    Buffer.from('\r\n--5f0c--\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary="5f0c"' };
  const path = `uploads?${new URLSearchParams({ upload_token: token })}`;
  const { status } = await dashscope.call({ method: 'POST', path, headers, body, upload_id });
  expect([status, [...dashscope.files.keys()]]).toEqual([200, [`uploads/alice/${upload_id}/cat.png`]]);
});

describe('answers a hostile form with 400', () => {
  const boundary = 'b'.repeat(30);
  const form = `multipart/form-data; boundary=${boundary}`;
  const field = (name: string, value = 'x') =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const end = `--${boundary}--\r\n`;

  test.each<[string, string, string]>([
    ['that is empty', form, ''],
    ['that is not a form', form, 'hello'],
    ['without a boundary', 'multipart/form-data', field('key') + end],
    ['of another type', 'application/json', '{}'],
    ['of a URL-encoded form', 'application/x-www-form-urlencoded', 'key=a&file=b'],
    ['that is truncated', form, `${field('key')}--${boundary}\r\nContent-Disp`],
    ['without an end', form, field('key')],
    ['with an invalid header', 'multipart/form-data; boundary="\u0001', field('key') + end],
    ['of dashes', form, '-'.repeat(4_000_000)],
    ['of line breaks', form, `--${boundary}\r\n${'\r\n'.repeat(2_000_000)}`],
    ['of forty thousand fields', form, Array.from({ length: 40_000 }, (_, at) => field(`f${at}`)).join('') + end],
    ['with an endless name', form, field('a'.repeat(4_000_000)) + end],
    ['of almost boundaries', form, `${field('key', `\r\n--${boundary.slice(1)}`.repeat(100_000))}${end}`],
    ['with names from the prototype', form, field('__proto__') + field('constructor') + end],
  ])('%s', async (_, type, body) => {
    const response = await dashscope.call({
      ...{ method: 'POST', path: 'uploads', upload_id: randomUUID() },
      headers: { 'content-type': type },
      body: new TextEncoder().encode(body),
    });
    expect(response).toMatchObject({ status: 400, body: { code: 'InvalidParameter' } });
    expect([dashscope.files.size, dashscope.unexpectedErrors]).toEqual([0, []]);
  });

  test('that arrives as text', async () => {
    const upload_id = randomUUID();
    const request = aDashscopeRequest({
      method: 'POST',
      path: 'uploads',
      headers: { 'content-type': form },
      upload_id,
    });
    const { statusCode } = await dashscope.handle({ ...request, body: field('key') + end, isBase64Encoded: false });
    expect(statusCode).toBe(400);
  });
});
