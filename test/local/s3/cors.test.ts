import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, test } from 'vitest';
import { readResponse } from './support/raw-request.ts';
import { startS3 } from './support/start-s3.ts';

const rules = [
  {
    allowed_origins: ['https://*.example.com', 'http://127.0.0.1:4400'],
    allowed_methods: ['GET', 'POST'],
    allowed_headers: ['content-type', 'x-amz-*'],
    exposed_headers: ['ETag'],
    max_age_seconds: 600,
  },
  { allowed_origins: ['*'], allowed_methods: ['HEAD'] },
];
const buckets = { files: { cors: rules }, closed: {} };

function preflight(endpoint: string, bucket: string, origin: string, method: string, headers?: string) {
  return fetch(`${endpoint}/${bucket}/key`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      ...(headers ? { 'access-control-request-headers': headers } : {}),
    },
  }).then(readResponse);
}

describe('a preflight', () => {
  test('gets the rule that allows it', async () => {
    const s3 = await startS3({ buckets });
    const response = await preflight(
      s3.endpoint,
      'files',
      'https://app.example.com',
      'POST',
      'Content-Type, X-Amz-Date',
    );
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type, x-amz-date',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ETag',
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    });
    const any = await preflight(s3.endpoint, 'files', 'https://elsewhere.test', 'HEAD');
    expect(any.headers.get('access-control-allow-origin')).toBe('*');
    expect(any.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test.each([
    ['another origin', 'files', 'https://example.org', 'GET', undefined],
    ['the wildcard’s own domain', 'files', 'https://example.com', 'GET', undefined],
    ['another method', 'files', 'https://app.example.com', 'DELETE', undefined],
    ['another header', 'files', 'https://app.example.com', 'GET', 'x-other'],
    ['a header when the rule allows none', 'files', 'https://elsewhere.test', 'HEAD', 'content-type'],
    ['a bucket without rules', 'closed', 'https://app.example.com', 'GET', undefined],
    ['a missing bucket', 'nowhere', 'https://app.example.com', 'GET', undefined],
  ])('for %s is rejected', async (_, bucket, origin, method, headers) => {
    const s3 = await startS3({ buckets });
    expect(await preflight(s3.endpoint, bucket, origin, method, headers)).toMatchObject({
      status: 403,
      code: 'AccessForbidden',
    });
  });

  test('without its headers is a bad request', async () => {
    const s3 = await startS3({ buckets });
    const response = await readResponse(await fetch(`${s3.endpoint}/files/key`, { method: 'OPTIONS' }));
    expect(response).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });
});

test('responses and errors have the headers of the rule, only for its origins', async () => {
  const s3 = await startS3({ buckets });
  await s3.sdk.send(new PutObjectCommand({ Bucket: 'files', Key: 'key', Body: 'hello' }));
  const url = await getSignedUrl(s3.sdk, new GetObjectCommand({ Bucket: 'files', Key: 'key' }));
  const origins: [string, string, string | null][] = [
    [url, 'http://127.0.0.1:4400', 'http://127.0.0.1:4400'],
    [url, 'http://127.0.0.1:4401', null],
    [`${s3.endpoint}/files/key`, 'http://127.0.0.1:4400', 'http://127.0.0.1:4400'],
  ];
  for (const [address, origin, expected] of origins) {
    const response = await fetch(address, { headers: { origin } });
    expect(response.headers.get('access-control-allow-origin')).toBe(expected);
  }
});
