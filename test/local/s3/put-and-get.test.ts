import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, test } from 'vitest';
import { send, signed } from './support/raw-request.ts';
import { errorOf, startS3, type TestS3 } from './support/start-s3.ts';

const Bucket = 'files';

function put(s3: TestS3, input: Partial<PutObjectCommandInput>) {
  return s3.sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'hello', ...input }));
}

function get(s3: TestS3, input: Partial<GetObjectCommandInput> = {}) {
  return s3.sdk.send(new GetObjectCommand({ Bucket, Key: 'key', ...input }));
}

function head(s3: TestS3, input: Partial<GetObjectCommandInput> = {}) {
  return s3.sdk.send(new HeadObjectCommand({ Bucket, Key: 'key', ...input }));
}

describe('bytes', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['a megabyte of all byte values', Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => i % 251))],
  ])('%s is returned as stored, with its MD5 as entity tag', async (_, bytes) => {
    const s3 = await startS3();
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    expect(await put(s3, { Body: bytes })).toMatchObject({ ETag: etag });
    const response = await get(s3);
    expect(Buffer.from(await response.Body!.transformToByteArray()).equals(bytes)).toBe(true);
    expect(response).toMatchObject({ ETag: etag, ContentLength: bytes.length, AcceptRanges: 'bytes' });
  });

  test('a put replaces the object', async () => {
    const s3 = await startS3();
    await put(s3, { Body: 'first' });
    await put(s3, { Body: 'second' });
    expect(await (await get(s3)).Body!.transformToString()).toBe('second');
  });

  test('a read in progress is not affected by an overwrite', async () => {
    const s3 = await startS3();
    await put(s3, { Body: Buffer.alloc(8 << 20, 'a') });
    const response = await get(s3);
    await put(s3, { Body: 'b' });
    const bytes = Buffer.from(await response.Body!.transformToByteArray());
    expect(bytes.equals(Buffer.alloc(8 << 20, 'a'))).toBe(true);
  });
});

describe('keys', () => {
  test.each([
    'plain.txt',
    'with space and+plus%20percent',
    'drop/猫/ü/𝄞.png',
    '../../../etc/passwd',
    'a/../b',
    './.',
    '/leading//double/',
    "!'()*;:@&=$,?#[]~",
    'control\u0001\u001f\u007f',
    'x'.repeat(1024),
  ])('%j is a valid key', async (Key) => {
    const s3 = await startS3();
    await put(s3, { Key, Body: Key });
    expect(await (await get(s3, { Key })).Body!.transformToString()).toBe(Key);
    expect(s3.events).toMatchObject([{ key: Key }]);
  });

  test('a key of more than 1,024 bytes is rejected', async () => {
    const s3 = await startS3();
    expect(await errorOf(put(s3, { Key: 'ü'.repeat(513) }))).toBe('KeyTooLongError 400');
  });

  test('a bare plus in a path is a space', async () => {
    const s3 = await startS3();
    await put(s3, { Key: 'a b' });
    expect((await send(s3.endpoint, { path: '/files/a%20b' })).text).toBe('hello');
  });

  test('a path that is not UTF-8 is rejected', async () => {
    const s3 = await startS3();
    expect(await send(s3.endpoint, { path: '/files/%ff' })).toMatchObject({ status: 400, code: 'InvalidURI' });
  });

  test('the host may name the bucket', async () => {
    const s3 = await startS3();
    const port = new URL(s3.endpoint).port;
    await put(s3, { Key: 'folder/key' });
    const { headers } = signed(`http://files.localhost:${port}`, { path: '/folder/key' });
    const text = await new Promise<string>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/folder/key', headers }, async (response) => {
        resolve(Buffer.concat(await response.toArray()).toString());
      });
      sent.on('error', reject).end();
    });
    expect(text).toBe('hello');
  });
});

describe('attributes', () => {
  test('headers and metadata are returned', async () => {
    const s3 = await startS3();
    await put(s3, {
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a.mp4"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentType: 'video/mp4',
      Metadata: { Prompt: 'a cat', model: 'wan2.5' },
    });
    const attributes = {
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a.mp4"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ContentType: 'video/mp4',
      Metadata: { prompt: 'a cat', model: 'wan2.5' },
    };
    expect(await get(s3)).toMatchObject(attributes);
    expect(await head(s3)).toMatchObject({ ...attributes, ContentLength: 5 });
  });

  test.each([
    ['Latin-1 bytes, as a client with string headers sends them', 'caf\u00e9', '=?UTF-8?Q?caf=C3=A9?='],
    ['an encoded word', '=?UTF-8?B?54yr?=', '=?UTF-8?B?54yr?='],
    [
      'raw UTF-8, garbled as in S3',
      '\u00c3\u0084M\u00c3\u0084Z\u00c3\u0095\u00c3\u0091 S3',
      '=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=',
    ],
    ['ASCII', 'plain', 'plain'],
  ])('metadata as %s is returned as RFC 2047', async (_, value, expected) => {
    const s3 = await startS3();
    await put(s3, { Body: Buffer.from('x'), Metadata: { prompt: value } });
    expect((await head(s3)).Metadata).toEqual({ prompt: expected });
  });

  test('aws-chunked is not stored as content encoding', async () => {
    const s3 = await startS3();
    await put(s3, { Body: Readable.from([Buffer.from('hello')]), ContentLength: 5, ContentEncoding: 'br' });
    expect((await head(s3)).ContentEncoding).toBe('br');
  });

  test('metadata over 2 KB is rejected', async () => {
    const s3 = await startS3();
    expect(await errorOf(put(s3, { Metadata: { prompt: 'x'.repeat(2043) } }))).toBe('MetadataTooLarge 400');
    expect(await errorOf(put(s3, { Metadata: { prompt: 'x'.repeat(2042) } }))).toBe('no error');
  });

  test('a read may override response headers', async () => {
    const s3 = await startS3();
    await put(s3, {});
    const response = await get(s3, {
      ResponseContentType: 'video/mp4',
      ResponseContentDisposition: 'attachment; filename="猫.mp4"',
      ResponseCacheControl: 'no-store',
    });
    expect(response).toMatchObject({ ContentType: 'video/mp4', CacheControl: 'no-store' });
    expect(Buffer.from(response.ContentDisposition!, 'latin1').toString()).toBe('attachment; filename="猫.mp4"');
  });
});

describe('ranges', () => {
  test.each([
    ['bytes=0-0', 'h', 'bytes 0-0/5'],
    ['bytes=1-3', 'ell', 'bytes 1-3/5'],
    ['bytes=2-', 'llo', 'bytes 2-4/5'],
    ['bytes=-2', 'lo', 'bytes 3-4/5'],
    ['bytes=-99', 'hello', 'bytes 0-4/5'],
    ['bytes=4-99', 'o', 'bytes 4-4/5'],
  ])('%s returns %j', async (Range, text, ContentRange) => {
    const s3 = await startS3();
    await put(s3, {});
    const response = await get(s3, { Range });
    expect(response).toMatchObject({ ContentRange, ContentLength: text.length, $metadata: { httpStatusCode: 206 } });
    expect(await response.Body!.transformToString()).toBe(text);
    expect(await head(s3, { Range })).toMatchObject({ ContentRange, ContentLength: text.length });
  });

  test.each(['bytes=5-', 'bytes=-0'])('%s is not satisfiable', async (Range) => {
    const s3 = await startS3();
    await put(s3, {});
    expect(await errorOf(get(s3, { Range }))).toBe('InvalidRange 416');
  });

  test.each(['bytes=0-1,3-4', 'lines=1-2', 'bytes=3-1'])('%s returns the whole object', async (Range) => {
    const s3 = await startS3();
    await put(s3, {});
    expect(await (await get(s3, { Range })).Body!.transformToString()).toBe('hello');
  });
});

describe('conditional reads', () => {
  const etag = '"5d41402abc4b2a76b9719d911017c592"';
  const time = Date.parse('2026-03-01T12:00:00.500Z');
  const [before, same, after] = [-10_000, 0, 10_000].map((shift) => new Date(time + shift));

  test.each<[string, Partial<GetObjectCommandInput>, string]>([
    ['If-Match with the entity tag', { IfMatch: etag }, 'no error'],
    ['If-Match with another entity tag', { IfMatch: '"other"' }, 'PreconditionFailed 412'],
    ['If-Match with a list', { IfMatch: `"other", ${etag}` }, 'no error'],
    ['If-None-Match with the entity tag', { IfNoneMatch: etag }, '304 304'],
    ['If-None-Match with another entity tag', { IfNoneMatch: '"other"' }, 'no error'],
    ['If-Modified-Since the same second', { IfModifiedSince: same }, '304 304'],
    ['If-Modified-Since before', { IfModifiedSince: before }, 'no error'],
    ['If-Unmodified-Since before', { IfUnmodifiedSince: before }, 'PreconditionFailed 412'],
    ['If-Unmodified-Since after', { IfUnmodifiedSince: after }, 'no error'],
    ['a matching entity tag overrides the date', { IfMatch: etag, IfUnmodifiedSince: before }, 'no error'],
    ['another entity tag overrides the date', { IfNoneMatch: '"other"', IfModifiedSince: after }, 'no error'],
  ])('%s', async (_, condition, expected) => {
    const s3 = await startS3({ now: () => time });
    const signing = { systemClockOffset: time - Date.now() };
    const sdk = s3.client(signing);
    await sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'hello' }));
    const read = sdk.send(new GetObjectCommand({ Bucket, Key: 'key', ...condition }));
    const normal = (await errorOf(read)).replace(/^\w+ 304$/, '304 304');
    expect(normal).toBe(expected);
  });
});

describe('If-Range', () => {
  const etag = '"5d41402abc4b2a76b9719d911017c592"';
  const time = Date.parse('2026-03-01T12:00:00.500Z');
  const whole = { status: 200, range: null, text: 'hello' };
  const part = { status: 206, range: 'bytes 1-3/5', text: 'ell' };

  test.each([
    ['the entity tag', etag, part],
    ['the entity tag between blanks', `  ${etag} `, part],
    ['the date of the last change', 'Sun, 01 Mar 2026 12:00:00 GMT', part],
    ['another entity tag', '"other"', whole],
    ['the weak form of the entity tag', `W/${etag}`, whole],
    ['a list of entity tags', `"other", ${etag}`, whole],
    ['any entity tag', '*', whole],
    ['an earlier date', 'Sun, 01 Mar 2026 11:59:59 GMT', whole],
    ['a later date', 'Sun, 01 Mar 2026 12:00:01 GMT', whole],
    ['something else', 'yesterday', whole],
    ['nothing', '', whole],
  ])('with %s', async (_, ifRange, expected) => {
    const s3 = await startS3({ now: () => time });
    const sdk = s3.client({ systemClockOffset: time - Date.now() });
    await sdk.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'hello' }));
    const command = new GetObjectCommand({ Bucket, Key: 'key' });
    const url = await getSignedUrl(sdk, command, { signingDate: new Date(time) });
    const get = async (headers: Record<string, string>) => {
      const response = await fetch(url, { headers });
      const { status } = response;
      return { status, range: response.headers.get('content-range'), text: await response.text() };
    };
    expect(await get({ 'if-range': ifRange, range: 'bytes=1-3' })).toEqual(expected);
    // Without a range it has no effect, and a range beyond the end counts only for the same object.
    expect(await get({ 'if-range': ifRange })).toEqual(whole);
    const beyond = await get({ 'if-range': ifRange, range: 'bytes=5-' });
    expect(beyond.status).toBe(expected === part ? 416 : 200);
  });
});

describe('a missing object', () => {
  test('a missing key and a missing bucket have their own errors', async () => {
    const s3 = await startS3();
    expect(await errorOf(get(s3))).toBe('NoSuchKey 404');
    expect(await errorOf(head(s3))).toBe('NotFound 404');
    expect(await errorOf(get(s3, { Bucket: 'nowhere' }))).toBe('NoSuchBucket 404');
    expect(await errorOf(put(s3, { Bucket: 'nowhere' }))).toBe('NoSuchBucket 404');
  });

  test('an error is an XML document with the request ids', async () => {
    const s3 = await startS3();
    const response = await send(s3.endpoint, { path: '/files/a%26b' });
    const id = response.headers.get('x-amz-request-id');
    expect(response.headers.get('content-type')).toBe('application/xml');
    expect(response.text).toContain(
      `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>a&amp;b</Key><RequestId>${id}</RequestId>`,
    );
  });
});

describe('events and recorded calls', () => {
  test('a put is published before its response with the fields that EventBridge needs', async () => {
    const events: string[] = [];
    const s3 = await startS3({
      onObjectEvent: async (event) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        events.push(`${event.name} ${event.reason} ${event.key} ${event.size} ${event.etag} ${event.requester}`);
      },
    });
    await put(s3, {});
    expect(events).toEqual(['ObjectCreated PutObject key 5 5d41402abc4b2a76b9719d911017c592 local']);
  });

  test('a request fails if its event cannot be written', async () => {
    const s3 = await startS3({
      onObjectEvent: async () => {
        throw new Error('the disk is full');
      },
    });
    await expect(put(s3, {})).rejects.toMatchObject({
      name: 'InternalError',
      message: expect.stringContaining('the disk is full'),
      $metadata: { httpStatusCode: 500 },
    });
  });

  test('sequencers grow even if the clock stops', async () => {
    const time = Date.now();
    const s3 = await startS3({ now: () => time });
    for (let i = 0; i < 5; i++) await put(s3, {});
    const sequencers = s3.events.map((event) => event.sequencer);
    expect(sequencers).toEqual([...new Set(sequencers)].sort());
  });

  test('the IAM actions of a call are recorded', async () => {
    const s3 = await startS3();
    await put(s3, {});
    await get(s3);
    const who = { access_key_id: 'local', bucket: 'files' };
    expect(s3.calls).toEqual([
      { ...who, action: 's3:PutObject', key: 'key' },
      { ...who, action: 's3:GetObject', key: 'key' },
    ]);
  });

  const VersionId = 'x'.repeat(32);
  const copy = (s3: TestS3, source: string) =>
    s3.sdk.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `files/${source}` }));
  test.each<[string, (s3: TestS3) => Promise<unknown>, string[]]>([
    ['GetObject of a key', (s3) => get(s3), ['s3:GetObject', 's3:ListBucket']],
    ['HeadObject of a key', (s3) => head(s3), ['s3:GetObject', 's3:ListBucket']],
    ['CopyObject of a key', (s3) => copy(s3, 'key'), ['s3:PutObject', 's3:GetObject', 's3:ListBucket']],
    [
      'GetObject of a version',
      (s3) => get(s3, { VersionId }),
      ['s3:GetObjectVersion', 's3:ListBucket', 's3:ListBucketVersions'],
    ],
    [
      'HeadObject of a version',
      (s3) => head(s3, { VersionId }),
      ['s3:GetObjectVersion', 's3:ListBucket', 's3:ListBucketVersions'],
    ],
    [
      'CopyObject of a version',
      (s3) => copy(s3, `key?versionId=${VersionId}`),
      ['s3:PutObject', 's3:GetObjectVersion', 's3:ListBucket', 's3:ListBucketVersions'],
    ],
  ])('%s that is missing also needs a list action, without which S3 returns 403', async (_, call, actions) => {
    const s3 = await startS3({ buckets: { files: { versioned: true } } });
    expect(await errorOf(call(s3))).toMatch(/404$/);
    expect(s3.calls.map(({ action }) => action)).toEqual(actions);
    const lists = s3.calls.filter(({ action }) => action.startsWith('s3:List'));
    for (const { action, ...rest } of lists) expect(rest).toEqual({ access_key_id: 'local', bucket: 'files' });
  });
});
