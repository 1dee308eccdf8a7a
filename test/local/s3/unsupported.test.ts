import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { childrenOf, namesOf, readXml, textOf } from '../../../local/aws/s3/http/xml.ts';
import { send } from './support/raw-request.ts';
import { errorOf, startS3, type TestS3 } from './support/start-s3.ts';

const at = { Bucket: 'files', Key: 'key' };
const body = { ...at, Body: 'hello' };

describe('an unsupported feature is rejected by name', () => {
  const attempts: [string, (s3: TestS3) => Promise<unknown>][] = [
    ['?acl', (s3) => s3.sdk.send(new GetBucketAclCommand(at))],
    ['GET object with ?acl', (s3) => s3.sdk.send(new GetObjectAclCommand(at))],
    ['PUT object with ?acl', (s3) => s3.sdk.send(new PutObjectAclCommand({ ...at, ACL: 'private' }))],
    ['PUT object with ?tagging', (s3) => s3.sdk.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [] } }))],
    ['DELETE object with ?tagging', (s3) => s3.sdk.send(new DeleteObjectTaggingCommand(at))],
    ['GET object with ?uploadId', (s3) => s3.sdk.send(new ListPartsCommand({ ...at, UploadId: 'a' }))],
    ['GET bucket with ?uploads', (s3) => s3.sdk.send(new ListMultipartUploadsCommand(at))],
    ['GET bucket with ?location', (s3) => s3.sdk.send(new GetBucketLocationCommand(at))],
    [
      'PUT bucket with ?versioning',
      (s3) => s3.sdk.send(new PutBucketVersioningCommand({ ...at, VersioningConfiguration: { Status: 'Suspended' } })),
    ],
    ['x-amz-tagging', (s3) => s3.sdk.send(new PutObjectCommand({ ...body, Tagging: 'a=b' }))],
    ['GET object with ?partNumber', (s3) => s3.sdk.send(new GetObjectCommand({ ...at, PartNumber: 1 }))],
    ['DeleteObject with if-match', (s3) => s3.sdk.send(new DeleteObjectCommand({ ...at, IfMatch: '"a"' }))],
    [
      'DeleteObjects with ETag',
      (s3) => s3.sdk.send(new DeleteObjectsCommand({ ...at, Delete: { Objects: [{ Key: 'key', ETag: '"a"' }] } })),
    ],
    [
      'CopyObject with x-amz-copy-source-if-none-match',
      (s3) => s3.sdk.send(new CopyObjectCommand({ ...at, CopySource: 'files/a', CopySourceIfNoneMatch: '"a"' })),
    ],
    [
      'CreateMultipartUpload with x-amz-checksum-type',
      (s3) => s3.sdk.send(new CreateMultipartUploadCommand({ ...at, ChecksumType: 'FULL_OBJECT' })),
    ],
    ['?policy', (s3) => s3.sdk.send(new GetBucketPolicyCommand(at))],
    [
      'GET object with ?attributes',
      (s3) => s3.sdk.send(new GetObjectAttributesCommand({ ...at, ObjectAttributes: ['ETag'] })),
    ],
    ['?restore', (s3) => s3.sdk.send(new RestoreObjectCommand({ ...at }))],
    [
      '?lifecycle',
      (s3) => s3.sdk.send(new PutBucketLifecycleConfigurationCommand({ ...at, LifecycleConfiguration: { Rules: [] } })),
    ],
    ['x-amz-storage-class', (s3) => s3.sdk.send(new PutObjectCommand({ ...body, StorageClass: 'GLACIER' }))],
    ['x-amz-object-lock-mode', (s3) => s3.sdk.send(new PutObjectCommand({ ...body, ObjectLockMode: 'GOVERNANCE' }))],
    [
      'x-amz-website-redirect-location',
      (s3) => s3.sdk.send(new PutObjectCommand({ ...body, WebsiteRedirectLocation: '/' })),
    ],
    [
      'x-amz-server-side-encryption',
      (s3) => s3.sdk.send(new PutObjectCommand({ ...body, ServerSideEncryption: 'aws:kms' })),
    ],
    ['x-amz-expected-bucket-owner', (s3) => s3.sdk.send(new PutObjectCommand({ ...body, ExpectedBucketOwner: '1' }))],
    [
      'x-amz-optional-object-attributes',
      (s3) => s3.sdk.send(new ListObjectsV2Command({ ...at, OptionalObjectAttributes: ['RestoreStatus'] })),
    ],
    [
      'x-amz-copy-source-server-side-encryption-customer',
      (s3) =>
        s3.sdk.send(
          new CopyObjectCommand({
            ...at,
            CopySource: 'files/a',
            CopySourceSSECustomerAlgorithm: 'AES256',
            CopySourceSSECustomerKey: '0'.repeat(32),
          }),
        ),
    ],
  ];
  test.each(attempts)('%s', async (name, attempt) => {
    const s3 = await startS3();
    await expect(attempt(s3)).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining(name),
      $metadata: { httpStatusCode: 501 },
    });
    expect(s3.events).toEqual([]);
  });

  test('an unsupported method is not allowed', async () => {
    const s3 = await startS3();
    expect(await send(s3.endpoint, { method: 'PATCH', path: '/files/key' })).toMatchObject({
      status: 405,
      code: 'MethodNotAllowed',
    });
  });

  test('an ACL that grants access is rejected, a private one is accepted', async () => {
    const s3 = await startS3();
    const put = (ACL: 'public-read' | 'bucket-owner-full-control') =>
      errorOf(s3.sdk.send(new PutObjectCommand({ ...body, ACL })));
    expect(await put('public-read')).toBe('AccessControlListNotSupported 400');
    expect(await put('bucket-owner-full-control')).toBe('no error');
  });
});

test('an object has no tags', async () => {
  const s3 = await startS3();
  expect(await errorOf(s3.sdk.send(new GetObjectTaggingCommand(at)))).toBe('NoSuchKey 404');
  await s3.sdk.send(new PutObjectCommand(body));
  expect((await s3.sdk.send(new GetObjectTaggingCommand(at))).TagSet).toEqual([]);
});

describe('XML requests', () => {
  test('elements, attributes, references and comments are parsed', () => {
    const document = `<?xml version="1.0"?> <!-- a --><Delete xmlns="http://s3/"><Object><Key xmlns:a="b"> a &lt;&amp;&#x1F600;&#65;&#128512;</Key></Object><Quiet/></Delete>\n`;
    const root = readXml(document, 'Delete');
    expect(namesOf(root)).toEqual(['Object', 'Quiet']);
    expect(childrenOf(root, 'Object').map((object) => textOf(object, 'Key'))).toEqual([' a <&😀A😀']);
    expect([textOf(root, 'Quiet'), textOf(root, 'Other')]).toEqual(['', undefined]);
    expect(childrenOf(readXml('<Delete><Object/><Object/></Delete>', 'Delete'), 'Object')).toHaveLength(2);
  });

  test.each([
    '',
    'text',
    '<Delete>',
    '<Delete></Other>',
    '</Delete>',
    '<Other/>',
    '<Delete/><Delete/>',
    '<Delete>&unknown;</Delete>',
    '<Delete>&#xFFFFFF;</Delete>',
    '<Delete>a & b</Delete>',
    '<Delete/>text',
    '<Delete>&amp</Delete>',
    '<Delete>&constructor;</Delete>',
    '<Delete>&AMP;</Delete>',
    '<Delete>&#xD800;</Delete>',
    '<!DOCTYPE Delete [<!ENTITY a "b">]><Delete>&a;</Delete>',
    '<!doctype Delete><Delete><Object><Key>a</Key></Object></Delete>',
    '<Delete><!DOCTYPE Delete></Delete>',
  ])('%j is rejected', async (document) => {
    expect(() => readXml(document, 'Delete')).toThrow(/XML/);
    const s3 = await startS3();
    const headers = {
      'x-amz-checksum-sha256': createHash('sha256').update(document).digest('base64'),
    };
    const response = await send(s3.endpoint, { method: 'POST', path: '/files?delete', body: document, headers });
    expect(response).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  test('a document of a million nested elements is rejected', () => {
    expect(() => readXml(`<Delete>${'<a>'.repeat(1_000_000)}`, 'Delete')).toThrow(/XML/);
    expect(() => readXml(`<Delete>${'<a>'.repeat(1e5)}${'</a>'.repeat(1e5)}</Delete>`, 'Delete')).toThrow(/XML/);
  });

  test('names of Object.prototype are not children', async () => {
    const document = '<Delete><__proto__><Object><Key>a</Key></Object></__proto__></Delete>';
    expect(childrenOf(readXml(document, 'Delete'), 'Object')).toEqual([]);
    expect(() => readXml('<__proto__><Delete/></__proto__>', 'Delete')).toThrow(/XML/);
  });

  test('a delete without a checksum or over 4 MiB is rejected', async () => {
    const s3 = await startS3();
    const request = { method: 'POST', path: '/files?delete' };
    expect(await send(s3.endpoint, { ...request, body: '<Delete/>' })).toMatchObject({ code: 'InvalidRequest' });
    const headers = { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' };
    const large = await send(s3.endpoint, { ...request, body: ' '.repeat((4 << 20) + 1), headers });
    expect(large.code).toBe('MaxMessageLengthExceeded');
  });
});
