import { createHmac } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { describe, expect, test } from 'vitest';
import { amzDate, readResponse, signingKey } from './support/raw-request.ts';
import { region, startS3, type TestS3 } from './support/start-s3.ts';

const Bucket = 'files';

interface Submission {
  options?: Partial<PresignedPostOptions>;
  /** Added to the signed fields; replaces those with the same name. */
  fields?: Record<string, string | undefined>;
  file?: string | Buffer<ArrayBuffer>;
  fileName?: string;
}

async function post(s3: TestS3, { options, fields = {}, file = 'hello', fileName = 'cat.png' }: Submission = {}) {
  const signed = await createPresignedPost(s3.sdk, { Bucket, Key: 'inbox/cat.png', ...options });
  return submit(s3, { ...signed.fields, ...fields }, file, fileName);
}

async function submit(
  s3: TestS3,
  fields: Record<string, string | undefined>,
  file: string | Buffer<ArrayBuffer>,
  fileName: string,
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, value);
  form.set('file', new Blob([file]), fileName);
  form.set('after the file', 'is not read');
  return readResponse(await fetch(`${s3.endpoint}/${Bucket}`, { method: 'POST', body: form, redirect: 'manual' }));
}

/** Signs a policy by hand. */
function policyFields(policy: object | string, time = Date.now()) {
  const date = amzDate(time);
  const day = date.slice(0, 8);
  const encoded = Buffer.from(typeof policy === 'string' ? policy : JSON.stringify(policy)).toString('base64');
  return {
    policy: encoded,
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': `local/${day}/${region}/s3/aws4_request`,
    'x-amz-date': date,
    'x-amz-signature': createHmac('sha256', signingKey(day)).update(encoded).digest('hex'),
  };
}

/** The placeholder that S3 replaces. */
const placeholder = `inbox/$\{filename}`;
const later = () => new Date(Date.now() + 60_000).toISOString();
const ownFields = [
  ['starts-with', '$x-amz-algorithm', ''],
  ['starts-with', '$x-amz-credential', ''],
  ['starts-with', '$x-amz-date', ''],
];

describe('a presigned POST', () => {
  test('stores the file with the form’s attributes', async () => {
    const s3 = await startS3();
    const options = {
      Fields: { 'Content-Type': 'image/png', 'x-amz-meta-prompt': 'eine schöne Katze 猫', 'Cache-Control': 'no-store' },
      Conditions: [['content-length-range', 1, 10] as ['content-length-range', number, number]],
    };
    const response = await post(s3, { options });
    expect([response.status, response.text]).toEqual([204, '']);
    expect(response.headers.get('etag')).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect(response.headers.get('location')).toBe(`${s3.endpoint}/files/inbox/cat.png`);
    const stored = await s3.sdk.send(new GetObjectCommand({ Bucket, Key: 'inbox/cat.png' }));
    expect(stored).toMatchObject({ ContentType: 'image/png', CacheControl: 'no-store', ContentLength: 5 });
    expect(stored.Metadata?.prompt).toMatch(/^=\?UTF-8\?Q\?eine_sch=C3=B6ne_Katze_=E7=8C=AB\?=$/);
    expect(await stored.Body!.transformToString()).toBe('hello');
    expect(s3.events).toMatchObject([{ reason: 'POST Object', key: 'inbox/cat.png', size: 5, requester: 'local' }]);
    expect(s3.calls[0]).toEqual({
      access_key_id: 'local',
      action: 's3:PutObject',
      bucket: Bucket,
      key: 'inbox/cat.png',
    });
  });

  test.each([0, 1, 100_000, 3_000_000])('stores %i arbitrary bytes unchanged', async (size) => {
    const s3 = await startS3();
    // Contains text that resembles the form's delimiters.
    const file = Buffer.alloc(size, '\r\n--\r\n----');
    expect((await post(s3, { file })).status).toBe(204);
    const stored = await s3.sdk.send(new GetObjectCommand({ Bucket, Key: 'inbox/cat.png' }));
    expect(Buffer.from(await stored.Body!.transformToByteArray()).equals(file)).toBe(true);
  });

  test.each([
    ['猫.png', 'inbox/猫.png'],
    ['C:\\images\\cat.png', 'inbox/cat.png'],
    ['a "quoted" name.png', 'inbox/a "quoted" name.png'],
    ['$& and $1.png', 'inbox/$& and $1.png'],
  ])('replaces the placeholder in the key by the file name %s', async (fileName, Key) => {
    const s3 = await startS3();
    expect((await post(s3, { options: { Key: placeholder }, fileName })).status).toBe(204);
    await s3.sdk.send(new HeadObjectCommand({ Bucket, Key }));
  });

  test('gets the response that the form requests', async () => {
    const s3 = await startS3();
    const created = await post(s3, { options: { Fields: { success_action_status: '201' } } });
    expect(created.status).toBe(201);
    expect(created.text).toContain('<Bucket>files</Bucket><Key>inbox/cat.png</Key><ETag>&quot;5d41402a');
    expect((await post(s3, { options: { Fields: { success_action_status: '200' } } })).status).toBe(200);
    const redirect = 'http://127.0.0.1:1/done?a=b';
    const moved = await post(s3, { options: { Fields: { success_action_redirect: redirect } } });
    expect(moved.status).toBe(303);
    expect(moved.headers.get('location')).toBe(
      `${redirect}&bucket=files&key=inbox%2Fcat.png&etag=%225d41402abc4b2a76b9719d911017c592%22`,
    );
  });

  test('reads the ACL of a form', async () => {
    const s3 = await startS3();
    expect((await post(s3, { options: { Fields: { acl: 'private' } } })).status).toBe(204);
    expect((await post(s3, { options: { Fields: { acl: 'public-read' } } })).code).toBe(
      'AccessControlListNotSupported',
    );
  });

  const range = { Conditions: [['content-length-range', 3, 6]] } as Partial<PresignedPostOptions>;
  test.each<[string, Submission, string]>([
    ['a file that is too large', { options: range, file: 'hello too' }, 'EntityTooLarge'],
    ['a file that is megabytes too large', { options: range, file: Buffer.alloc(5 << 20) }, 'EntityTooLarge'],
    ['a file that is too small', { options: range, file: 'hi' }, 'EntityTooSmall'],
    ['another key', { fields: { key: 'elsewhere' } }, 'AccessDenied'],
    ['a field without a condition', { fields: { 'x-amz-meta-owner': 'me' } }, 'AccessDenied'],
    [
      'another value of a field',
      { options: { Fields: { 'Content-Type': 'image/png' } }, fields: { 'Content-Type': 'text/html' } },
      'AccessDenied',
    ],
    ['another signature', { fields: { 'X-Amz-Signature': '0'.repeat(64) } }, 'SignatureDoesNotMatch'],
    ['another policy', { fields: { Policy: Buffer.from('{}').toString('base64') } }, 'SignatureDoesNotMatch'],
    [
      'an unknown key',
      { fields: { 'X-Amz-Credential': 'unknown/20260101/eu-central-1/s3/aws4_request' } },
      'InvalidAccessKeyId',
    ],
    ['no signature', { fields: { 'X-Amz-Signature': undefined } }, 'InvalidArgument'],
    ['neither policy nor signature', { fields: { 'X-Amz-Signature': undefined, Policy: undefined } }, 'AccessDenied'],
    ['no key', { fields: { key: undefined } }, 'InvalidArgument'],
    ['a checksum of other bytes', { options: { Fields: { 'x-amz-checksum-crc32': 'AAAAAA==' } } }, 'BadDigest'],
    ['an unsupported field', { options: { Fields: { 'x-amz-website-redirect-location': '/' } } }, 'NotImplemented'],
    ['tags', { options: { Fields: { tagging: '<Tagging/>' } } }, 'NotImplemented'],
    ['too many fields', { fields: { 'x-ignore-this': 'x'.repeat(21_000) } }, 'MaxPostPreDataLengthExceeded'],
    ['metadata over 2 KB', { options: { Fields: { 'x-amz-meta-a': 'x'.repeat(2048) } } }, 'MetadataTooLarge'],
  ])('%s is rejected and nothing is stored', async (_, submission, code) => {
    const s3 = await startS3();
    expect(await post(s3, submission)).toMatchObject({ code });
    await expect(s3.sdk.send(new HeadObjectCommand({ Bucket, Key: 'inbox/cat.png' }))).rejects.toThrow();
    expect(s3.events).toEqual([]);
  });

  test('fields that start with x-ignore- need no condition', async () => {
    expect((await post(await startS3(), { fields: { 'x-ignore-csrf': 'token' } })).status).toBe(204);
  });

  test('expires with its policy by the server’s clock', async () => {
    let time = Date.now();
    const s3 = await startS3({ now: () => time });
    const fields = {
      ...policyFields({ expiration: new Date(time + 60_000).toISOString(), conditions: [{ key: 'a' }, ...ownFields] }),
      key: 'a',
    };
    expect((await submit(s3, fields, 'hello', 'a')).status).toBe(204);
    time += 60_001;
    expect(await submit(s3, fields, 'hello', 'a')).toMatchObject({
      code: 'AccessDenied',
      text: expect.stringContaining('expired'),
    });
  });
});

describe('conditions', () => {
  test.each<[string, unknown[], Record<string, string>, string | undefined]>([
    ['an exact match in a list', [['eq', '$key', 'a/b']], {}, undefined],
    ['a prefix', [['starts-with', '$key', 'a/']], {}, undefined],
    ['another prefix', [['starts-with', '$key', 'b/']], {}, 'AccessDenied'],
    ['another bucket', [['starts-with', '$key', ''], { bucket: 'others' }], {}, 'AccessDenied'],
    [
      'field names in any case',
      [
        ['starts-with', '$Key', ''],
        ['eq', '$Content-Type', 'a/b'],
      ],
      { 'content-type': 'a/b' },
      undefined,
    ],
    [
      'every item of a list of content types',
      [
        ['starts-with', '$key', ''],
        ['starts-with', '$Content-Type', 'image/'],
      ],
      { 'Content-Type': 'image/png, text/html' },
      'AccessDenied',
    ],
    ['a required field', [['starts-with', '$key', ''], { 'x-amz-meta-a': 'b' }], {}, 'AccessDenied'],
    ['an unknown kind', [['like', '$key', 'a']], {}, 'InvalidPolicyDocument'],
    ['a reversed range', [['content-length-range', 5, 1]], {}, 'InvalidPolicyDocument'],
  ])('%s', async (_, conditions, fields, code) => {
    const s3 = await startS3();
    const policy = policyFields({ expiration: later(), conditions: [...conditions, ...ownFields] });
    expect((await submit(s3, { ...policy, key: 'a/b', ...fields }, 'hello', 'a')).code).toBe(code);
  });

  test.each(['nonsense', '{}', '{"expiration":"never","conditions":[]}', '{"expiration":"2099-01-01T00:00:00Z"}'])(
    'the policy %s is invalid',
    async (policy) => {
      const s3 = await startS3();
      const response = await submit(s3, { ...policyFields(policy), key: 'a' }, 'hello', 'a');
      expect(response).toMatchObject({ code: 'InvalidPolicyDocument' });
    },
  );
});

describe('a malformed form', () => {
  const type = 'multipart/form-data; boundary=edge';
  const head = '--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\na\r\n--edge';
  test.each([
    ['ends within a field', type, '--edge\r\nContent-Disposition: form-data; name="key"\r\n\r\na'],
    ['has no boundary', 'multipart/form-data', head],
    ['does not start with the boundary', type, 'hello'],
    ['has a part without a name', type, '--edge\r\nContent-Type: text/plain\r\n\r\na\r\n--edge--\r\n'],
    ['has text after a delimiter', type, `${head}nonsense\r\n`],
  ])('that %s is rejected', async (_, contentType, body) => {
    const s3 = await startS3();
    const response = await fetch(`${s3.endpoint}/files`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
    expect(await readResponse(response)).toMatchObject({ status: 400, code: 'MalformedPOSTRequest' });
  });

  test('that ends within its file stores nothing', async () => {
    const s3 = await startS3();
    const fields = { ...policyFields({ expiration: later(), conditions: [{ key: 'a' }, ...ownFields] }), key: 'a' };
    const parts = Object.entries(fields).map(
      ([name, value]) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const body = `${parts.join('')}--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhello`;
    const response = await fetch(`${s3.endpoint}/files`, { method: 'POST', headers: { 'content-type': type }, body });
    expect(await readResponse(response)).toMatchObject({ code: 'MalformedPOSTRequest' });
    expect(s3.events).toEqual([]);
  });

  test('whose connection is closed within its file stores nothing, and the next one succeeds', async () => {
    const s3 = await startS3();
    const fields = { ...policyFields({ expiration: later(), conditions: [{ key: 'a' }, ...ownFields] }), key: 'a' };
    const parts = Object.entries(fields).map(
      ([name, value]) => `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const file = `--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`;
    const headers = { 'content-type': type, 'content-length': '1000000' };
    const sent = request(`${s3.endpoint}/files`, { method: 'POST', headers });
    const failed = new Promise((resolve) => sent.on('error', resolve));
    sent.write(`${parts.join('')}${file}${'x'.repeat(200_000)}`);
    const blobs = () => readdir(`${s3.directory}/buckets/files/blobs`);
    await expect.poll(blobs).toHaveLength(1);
    sent.destroy(new Error('cut'));
    await failed;
    await expect.poll(blobs).toEqual([]);
    expect((await submit(s3, fields, 'hello', 'a')).status).toBe(204);
    expect(s3.events).toMatchObject([{ key: 'a', size: 5 }]);
  });
});
