import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, test } from 'vitest';
import { authenticate } from '../../../local/aws/s3/authenticate.ts';
import { checksumAlgorithms } from '../../../local/aws/s3/body/checksum.ts';
import { readTarget } from '../../../local/aws/s3/http/messages.ts';
import { readResponse, send } from './support/raw-request.ts';
import { errorOf, type StartOptions, startS3 } from './support/start-s3.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

async function startWithObject(options: StartOptions = {}) {
  const s3 = await startS3(options);
  await s3.sdk.send(new PutObjectCommand({ Bucket: 'files', Key: 'a b', Body: 'hello' }));
  return s3;
}

/** The examples in the API reference, "Authenticating requests: using the Authorization header" and "… query parameters". */
describe("the reference's examples are valid", () => {
  const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  const credential = 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request';
  const services = {
    now: () => Date.parse('2013-05-24T00:00:00Z'),
    secretOf: (id: string) => (id === 'AKIAIOSFODNN7EXAMPLE' ? secret : undefined),
  };
  const verify = (method: string, url: string, headers: Record<string, string>) => {
    const all = new Map(Object.entries({ host: 'examplebucket.s3.amazonaws.com', ...headers }));
    return authenticate({ method, target: readTarget(url, undefined), headers: all }, services);
  };
  const authorization = (names: string, signature: string) =>
    `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`;
  const dated = { 'x-amz-content-sha256': empty, 'x-amz-date': '20130524T000000Z' };

  test('GET with a range', () => {
    const signature = 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41';
    const names = 'host;range;x-amz-content-sha256;x-amz-date';
    const headers = { ...dated, range: 'bytes=0-9', authorization: authorization(names, signature) };
    expect(verify('GET', '/test.txt', headers)).toMatchObject({ access_key_id: 'AKIAIOSFODNN7EXAMPLE' });
    expect(() => verify('GET', '/test.txt', { ...headers, range: 'bytes=0-8' })).toThrow('signature');
  });

  test('PUT of a key with a dollar sign', () => {
    const headers = {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    };
    expect(verify('PUT', '/test%24file.text', headers).payload).toMatchObject({ kind: 'hashed' });
  });

  test('GET of a subresource without a value', () => {
    const signature = 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543';
    const headers = { ...dated, authorization: authorization('host;x-amz-content-sha256;x-amz-date', signature) };
    expect(verify('GET', '/?lifecycle', headers).payload.kind).toBe('hashed');
  });

  test('a presigned GET', () => {
    const query = [
      'X-Amz-Algorithm=AWS4-HMAC-SHA256',
      `X-Amz-Credential=${encodeURIComponent(credential)}`,
      'X-Amz-Date=20130524T000000Z',
      'X-Amz-Expires=86400',
      'X-Amz-SignedHeaders=host',
      'X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    ].join('&');
    expect(verify('GET', `/test.txt?${query}`, {}).payload.kind).toBe('unsigned');
  });
});

describe('signed headers', () => {
  test.each([
    ['an unknown key', { accessKeyId: 'unknown' }, 'InvalidAccessKeyId', 403],
    ['a wrong secret', { secret: 'wrong' }, 'SignatureDoesNotMatch', 403],
    ['a clock 16 minutes behind', { time: Date.now() - 16 * minute }, 'RequestTimeTooSkewed', 403],
    ['a clock 16 minutes ahead', { time: Date.now() + 16 * minute }, 'RequestTimeTooSkewed', 403],
    ['an added header', { unsigned: { 'x-amz-meta-a': 'b' } }, 'AccessDenied', 403],
    [
      'a signed header that was changed',
      { headers: { range: 'bytes=0-1' }, unsigned: { range: 'bytes=0-2' } },
      'SignatureDoesNotMatch',
      403,
    ],
    ['another mechanism', { unsigned: { authorization: 'AWS local:c2lnbmF0dXJl' } }, 'InvalidRequest', 400],
    [
      'an incomplete header',
      { unsigned: { authorization: 'AWS4-HMAC-SHA256 Credential=a' } },
      'AuthorizationHeaderMalformed',
      400,
    ],
  ])('%s is rejected', async (_, change, code, status) => {
    const s3 = await startWithObject();
    expect(await send(s3.endpoint, { path: '/files/a%20b', ...change })).toMatchObject({ code, status });
  });

  test('a clock skew of 14 minutes and a session token are accepted', async () => {
    const s3 = await startWithObject();
    const headers = { 'x-amz-security-token': 'token' };
    const time = Date.now() - 14 * minute;
    expect((await send(s3.endpoint, { path: '/files/a%20b', headers, time })).text).toBe('hello');
  });

  test('there is no anonymous access', async () => {
    const s3 = await startWithObject();
    for (const method of ['GET', 'PUT', 'DELETE', 'POST']) {
      const response = await readResponse(await fetch(`${s3.endpoint}/files/a%20b`, { method }));
      expect(response).toMatchObject({ status: 403, code: 'AccessDenied' });
    }
    expect(s3.calls).toHaveLength(1);
  });

  test('the SDK corrects its clock to the server’s', async () => {
    const s3 = await startS3({ now: () => Date.now() + 3 * day });
    const sdk = s3.client({ maxAttempts: 2 });
    expect((await sdk.send(new ListBucketsCommand())).Buckets).toMatchObject([{ Name: 'files' }]);
  });
});

describe('presigned URLs', () => {
  test('a GET works in any client, with the signed response headers', async () => {
    const s3 = await startWithObject();
    const command = new GetObjectCommand({ Bucket: 'files', Key: 'a b', ResponseContentType: 'video/mp4' });
    const response = await fetch(await getSignedUrl(s3.sdk, command, { expiresIn: 60 }));
    expect([response.status, await response.text(), response.headers.get('content-type')]).toEqual([
      200,
      'hello',
      'video/mp4',
    ]);
  });

  test('a PUT signed without checksums accepts any body', async () => {
    const s3 = await startS3();
    const sdk = s3.client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    const command = new PutObjectCommand({ Bucket: 'files', Key: 'key', Metadata: { prompt: 'a cat' } });
    const response = await fetch(await getSignedUrl(sdk, command), { method: 'PUT', body: 'hello' });
    expect(response.status).toBe(200);
    const head = await sdk.send(new HeadObjectCommand({ Bucket: 'files', Key: 'key' }));
    expect(head).toMatchObject({ ContentLength: 5, Metadata: { prompt: 'a cat' } });
  });

  test.each([undefined, ...checksumAlgorithms])(
    'a PUT signed with the SDK’s checksum of an empty body (%s) accepts any body',
    async (ChecksumAlgorithm) => {
      const s3 = await startS3();
      const command = new PutObjectCommand({ Bucket: 'files', Key: 'key', ChecksumAlgorithm });
      const url = await getSignedUrl(s3.sdk, command);
      expect(url).toContain('x-amz-checksum-');
      for (const body of ['hello', '']) {
        expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
        const stored = await s3.sdk.send(new GetObjectCommand({ Bucket: 'files', Key: 'key' }));
        expect(await stored.Body!.transformToString()).toBe(body);
      }
    },
  );

  test('an UploadPart signed with the SDK’s defaults accepts any body', async () => {
    const s3 = await startS3();
    const upload = { Bucket: 'files', Key: 'key' };
    const { UploadId } = await s3.sdk.send(new CreateMultipartUploadCommand(upload));
    const url = await getSignedUrl(s3.sdk, new UploadPartCommand({ ...upload, UploadId, PartNumber: 1 }));
    const { status, headers } = await fetch(url, { method: 'PUT', body: 'hello' });
    expect(status).toBe(200);
    const Parts = [{ PartNumber: 1, ETag: headers.get('etag')! }];
    await s3.sdk.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));
    const stored = await s3.sdk.send(new GetObjectCommand(upload));
    expect(await stored.Body!.transformToString()).toBe('hello');
  });

  test('a PUT with a signed checksum header accepts no other body', async () => {
    const s3 = await startS3();
    const ChecksumCRC32 = Buffer.from([0x36, 0x10, 0xa6, 0x86]).toString('base64');
    const command = new PutObjectCommand({ Bucket: 'files', Key: 'key', ChecksumCRC32 });
    const name = 'x-amz-checksum-crc32';
    const url = await getSignedUrl(s3.sdk, command, { unhoistableHeaders: new Set([name]) });
    const put = async (body: string) =>
      readResponse(await fetch(url, { method: 'PUT', body, headers: { [name]: ChecksumCRC32 } }));
    expect(await put('hello')).toMatchObject({ status: 200 });
    expect(await put('other')).toMatchObject({ status: 400, code: 'BadDigest' });
  });

  const command = new GetObjectCommand({ Bucket: 'files', Key: 'a b' });
  test.each<[string, Partial<{ expiresIn: number; signingDate: Date }>, (url: string) => string, string]>([
    ['expired', { expiresIn: 60, signingDate: new Date(Date.now() - 2 * minute) }, (url) => url, 'AccessDenied'],
    ['not yet valid', { signingDate: new Date(Date.now() + 20 * minute) }, (url) => url, 'AccessDenied'],
    ['made for another key', {}, (url) => url.replace('a%20b', 'other'), 'SignatureDoesNotMatch'],
    [
      'with a longer expiry',
      { expiresIn: 60 },
      (url) => url.replace('Expires=60', 'Expires=61'),
      'SignatureDoesNotMatch',
    ],
    [
      'with an expiry over a week',
      { expiresIn: 60 },
      (url) => url.replace('Expires=60', 'Expires=604801'),
      'AuthorizationQueryParametersError',
    ],
    ['with a credential of another day', {}, (url) => url.replace(/local%2F\d{8}/, 'local%2F20260101'), 'AccessDenied'],
    ['with an added parameter', {}, (url) => `${url}&versionId=null`, 'SignatureDoesNotMatch'],
    ['of an unknown key', {}, (url) => url.replace('Credential=local', 'Credential=other'), 'InvalidAccessKeyId'],
    ['without a signature', {}, (url) => url.replace(/&X-Amz-Signature=\w+/, ''), 'AuthorizationQueryParametersError'],
  ])('a URL %s is rejected', async (_, options, change, code) => {
    const s3 = await startWithObject();
    const url = change(await getSignedUrl(s3.sdk, command, options));
    expect(await readResponse(await fetch(url))).toMatchObject({ code });
  });

  test('a URL for a GET does not allow a DELETE', async () => {
    const s3 = await startWithObject();
    const response = await fetch(await getSignedUrl(s3.sdk, command), { method: 'DELETE' });
    expect(await readResponse(response)).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });

  test('a URL expires exactly at its time by the server’s clock', async () => {
    let time = Date.parse('2026-01-01T00:00:00Z');
    const s3 = await startS3({ now: () => time });
    const sdk = s3.client({ systemClockOffset: time - Date.now() });
    await sdk.send(new PutObjectCommand({ Bucket: 'files', Key: 'a b', Body: 'hello' }));
    const url = await getSignedUrl(sdk, command, { expiresIn: 900, signingDate: new Date(time) });
    time += 900_000;
    expect((await fetch(url)).status).toBe(200);
    time += 1;
    expect(await readResponse(await fetch(url))).toMatchObject({
      status: 403,
      text: expect.stringContaining('Request has expired'),
    });
  });
});

test('the SDK reports a wrong secret', async () => {
  const s3 = await startS3();
  const sdk = s3.client({ credentials: { accessKeyId: 'local', secretAccessKey: 'wrong' } });
  expect(await errorOf(sdk.send(new ListBucketsCommand()))).toBe('SignatureDoesNotMatch 403');
});
