import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketPolicyCommand,
  GetObjectAclCommand,
  GetObjectAttributesCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketLifecycleConfigurationCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { readXml } from '../../../local/aws/s3/http/read-xml.ts';
import { send } from './support/raw-request.ts';
import { refusal, startS3, type TestS3 } from './support/start-s3.ts';

const at = { Bucket: 'files', Key: 'key' };
const body = { ...at, Body: 'hello' };

describe('what is not supported is refused by name', () => {
  const attempts: [string, (s3: TestS3) => Promise<unknown>][] = [
    ['?acl', (s3) => s3.sdk.send(new GetBucketAclCommand(at))],
    ['?acl', (s3) => s3.sdk.send(new GetObjectAclCommand(at))],
    ['?acl', (s3) => s3.sdk.send(new PutObjectAclCommand({ ...at, ACL: 'private' }))],
    ['?policy', (s3) => s3.sdk.send(new GetBucketPolicyCommand(at))],
    ['?attributes', (s3) => s3.sdk.send(new GetObjectAttributesCommand({ ...at, ObjectAttributes: ['ETag'] }))],
    ['?restore', (s3) => s3.sdk.send(new RestoreObjectCommand(at))],
    [
      '?lifecycle',
      (s3) => s3.sdk.send(new PutBucketLifecycleConfigurationCommand({ ...at, LifecycleConfiguration: { Rules: [] } })),
    ],
    ['the storage class GLACIER', (s3) => s3.sdk.send(new PutObjectCommand({ ...body, StorageClass: 'GLACIER' }))],
    ['x-amz-object-lock-mode', (s3) => s3.sdk.send(new PutObjectCommand({ ...body, ObjectLockMode: 'GOVERNANCE' }))],
    [
      'x-amz-website-redirect-location',
      (s3) => s3.sdk.send(new PutObjectCommand({ ...body, WebsiteRedirectLocation: '/' })),
    ],
    [
      'x-amz-server-side-encryption: aws:kms:dsse',
      (s3) => s3.sdk.send(new PutObjectCommand({ ...body, ServerSideEncryption: 'aws:kms:dsse' })),
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

  test('a method that nothing answers to is not allowed', async () => {
    const s3 = await startS3();
    expect(await send(s3.endpoint, { method: 'PATCH', path: '/files/key' })).toMatchObject({
      status: 405,
      code: 'MethodNotAllowed',
    });
  });

  test('an ACL that opens anything is refused, the owner’s own is not', async () => {
    const s3 = await startS3();
    const put = (ACL: 'public-read' | 'bucket-owner-full-control') =>
      refusal(s3.sdk.send(new PutObjectCommand({ ...body, ACL })));
    expect(await put('public-read')).toBe('AccessControlListNotSupported 400');
    expect(await put('bucket-owner-full-control')).toBe('no error');
  });
});

describe('tags', () => {
  const tags = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `key ${i}`, Value: '<&>ü' }));
  const put = (s3: TestS3, TagSet: { Key: string; Value: string }[]) =>
    s3.sdk.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet } }));
  const get = async (s3: TestS3) => (await s3.sdk.send(new GetObjectTaggingCommand(at))).TagSet;

  test('are put with the object, read, replaced and deleted without touching it', async () => {
    const s3 = await startS3();
    const { ETag } = await s3.sdk.send(new PutObjectCommand({ ...body, Tagging: 'a%20b=c%2Bd&e=' }));
    expect(await get(s3)).toEqual([
      { Key: 'a b', Value: 'c+d' },
      { Key: 'e', Value: '' },
    ]);
    await put(s3, tags(10));
    expect(await get(s3)).toEqual(tags(10));
    await s3.sdk.send(new DeleteObjectTaggingCommand(at));
    expect(await get(s3)).toEqual([]);
    expect(await s3.sdk.send(new HeadObjectCommand(at))).toMatchObject({ ETag });
    expect(s3.events).toHaveLength(1);
  });

  test.each<[string, { Key: string; Value: string }[]]>([
    ['eleven', tags(11)],
    ['two of one key', [...tags(1), ...tags(1)]],
    ['a key of 129 characters', [{ Key: 'x'.repeat(129), Value: '' }]],
    ['a value of 257 characters', [{ Key: 'x', Value: 'x'.repeat(257) }]],
  ])('%s are refused', async (_, set) => {
    const s3 = await startS3();
    await s3.sdk.send(new PutObjectCommand(body));
    expect(await refusal(put(s3, set))).toBe('InvalidTag 400');
  });
});

describe('XML requests', () => {
  test('elements, namespaces, references and comments are read', () => {
    const document = `<?xml version="1.0"?>\n<!-- a --><s:Delete xmlns:s="http://s3/"><Object><Key>a &lt;&amp;&#x1F600;&#65;</Key></Object><Quiet/></s:Delete>`;
    expect(readXml(document, 'Delete')).toMatchObject({
      name: 'Delete',
      children: [
        { name: 'Object', children: [{ name: 'Key', text: 'a <&😀A' }] },
        { name: 'Quiet', text: '' },
      ],
    });
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
    '<!DOCTYPE Delete [<!ENTITY a "b">]><Delete>&a;</Delete>',
  ])('%j is refused', async (document) => {
    expect(() => readXml(document, 'Delete')).toThrow(/XML/);
    const s3 = await startS3();
    const headers = {
      'x-amz-checksum-sha256': createHash('sha256').update(document).digest('base64'),
    };
    const answer = await send(s3.endpoint, { method: 'POST', path: '/files?delete', body: document, headers });
    expect(answer).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  test('a delete without a checksum is refused, as is one over 4 MiB', async () => {
    const s3 = await startS3();
    const request = { method: 'POST', path: '/files?delete' };
    expect(await send(s3.endpoint, { ...request, body: '<Delete/>' })).toMatchObject({ code: 'InvalidRequest' });
    const headers = { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' };
    const large = await send(s3.endpoint, { ...request, body: ' '.repeat((4 << 20) + 1), headers });
    expect(large.code).toBe('MaxMessageLengthExceeded');
  });
});
