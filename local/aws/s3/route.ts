import { checksumAlgorithms, checksumHeader } from './body/checksum.ts';
import { notImplemented, S3Error } from './errors.ts';
import type { Answer } from './http/messages.ts';
import { attributeHeaders, contentHeaders } from './operations/attributes.ts';
import { createBucket, deleteBucket, getBucketVersioning, headBucket, listBuckets } from './operations/buckets.ts';
import type { Call, Services } from './operations/call.ts';
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts';
import { copyObject } from './operations/copy-object.ts';
import { deleteObject, deleteObjects } from './operations/delete-object.ts';
import { getObject, getObjectTagging } from './operations/get-object.ts';
import { listObjects, listObjectsV2, listObjectVersions } from './operations/list-objects.ts';
import { putObject } from './operations/put-object.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from './operations/upload-parts.ts';

/** One operation of the S3 API: which requests are it, what of a request it understands, and what it does. */
interface Operation {
  /** As in the API reference. */
  name: string;
  /** Its method and what its path names, then the parameters that make a request this operation. */
  on: string;
  /** A header that makes a request this operation. @default none */
  selector?: string;
  /** The IAM action it needs on what it addresses; `null` when it records its actions itself. @default `s3:<name>` */
  action?: string | null;
  /** Further parameters it understands. Any other is refused with 501. @default none */
  parameters?: readonly string[];
  /** `x-amz-` and `if-` headers it understands, likewise; `*` at the end stands for any rest. @default none */
  headers?: readonly string[];
  run: (call: Call, services: Services) => Promise<Answer>;
}

/** Headers that come with a body: its encoding and what it is checked by. */
const body = ['x-amz-checksum-*', 'x-amz-decoded-content-length', 'x-amz-sdk-checksum-algorithm', 'x-amz-trailer'];
const conditions = ['if-match', 'if-none-match'];
const source = ['x-amz-copy-source', 'x-amz-copy-source-if-match'];
/** Objects have neither tags nor annotations here, whichever is to become of them. */
const directives = ['x-amz-metadata-directive', 'x-amz-tagging-directive', 'x-amz-object-annotation-directive'];
const listing = ['prefix', 'delimiter', 'encoding-type', 'max-keys'];
const paging = {
  v1: [...listing, 'marker'],
  v2: [...listing, 'continuation-token', 'start-after'],
  versions: [...listing, 'key-marker', 'version-id-marker'],
};
const reading = {
  action: null,
  parameters: ['versionId', ...contentHeaders.map((name) => `response-${name}`)],
  headers: [...conditions, 'if-modified-since', 'if-unmodified-since', 'x-amz-checksum-mode'],
};
const putting = { action: 's3:PutObject' };
const copying = { ...putting, selector: 'x-amz-copy-source' };

/** Everything this server can do with a signed request. */
const operations: readonly Operation[] = [
  { name: 'ListBuckets', on: 'GET service', action: 's3:ListAllMyBuckets', run: listBuckets },
  { name: 'CreateBucket', on: 'PUT bucket', headers: [...body, 'x-amz-acl'], run: createBucket },
  { name: 'HeadBucket', on: 'HEAD bucket', action: 's3:ListBucket', run: headBucket },
  { name: 'DeleteBucket', on: 'DELETE bucket', run: deleteBucket },
  { name: 'GetBucketVersioning', on: 'GET bucket?versioning', run: getBucketVersioning },
  { name: 'ListObjectsV2', on: 'GET bucket?list-type', action: null, parameters: paging.v2, run: listObjectsV2 },
  { name: 'ListObjects', on: 'GET bucket', action: null, parameters: paging.v1, run: listObjects },
  {
    name: 'ListObjectVersions',
    on: 'GET bucket?versions',
    action: null,
    parameters: paging.versions,
    run: listObjectVersions,
  },
  { name: 'DeleteObjects', on: 'POST bucket?delete', action: null, headers: body, run: deleteObjects },
  { name: 'PutObject', on: 'PUT object', headers: [...attributeHeaders, ...body, ...conditions], run: putObject },
  { name: 'GetObject', on: 'GET object', ...reading, run: getObject },
  { name: 'HeadObject', on: 'HEAD object', ...reading, run: getObject },
  { name: 'GetObjectTagging', on: 'GET object?tagging', run: getObjectTagging },
  { name: 'DeleteObject', on: 'DELETE object', action: null, parameters: ['versionId'], run: deleteObject },
  {
    name: 'CopyObject',
    on: 'PUT object',
    ...copying,
    headers: [...attributeHeaders, ...conditions, ...source, ...directives],
    run: copyObject,
  },
  {
    name: 'CreateMultipartUpload',
    on: 'POST object?uploads',
    ...putting,
    headers: [...attributeHeaders, 'x-amz-checksum-algorithm'],
    run: createMultipartUpload,
  },
  { name: 'UploadPart', on: 'PUT object?partNumber&uploadId', ...putting, headers: body, run: uploadPart },
  {
    name: 'UploadPartCopy',
    on: 'PUT object?partNumber&uploadId',
    ...copying,
    headers: [...source, 'x-amz-copy-source-range'],
    run: uploadPartCopy,
  },
  {
    name: 'CompleteMultipartUpload',
    on: 'POST object?uploadId',
    ...putting,
    headers: [...conditions, 'x-amz-mp-object-size'],
    run: completeMultipartUpload,
  },
  { name: 'AbortMultipartUpload', on: 'DELETE object?uploadId', run: abortMultipartUpload },
];

/** Headers of the protocol itself. Clients send checksums of an empty body as well, which say nothing to a read. */
const protocolHeaders = [
  ...checksumAlgorithms.map(checksumHeader),
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-user-agent',
];

/**
 * Runs the operation a request means: of those with its method and target, the one with most of its selectors.
 * @throws `NotImplemented` naming the first parameter or header that the operation would have to ignore, `MethodNotAllowed`
 */
export async function runOperation(call: Call, services: Services): Promise<Answer> {
  const { method, query, headers } = call;
  const target = call.target.key !== '' ? 'object' : call.target.bucket !== '' ? 'bucket' : 'service';
  const [operation] = operations
    .filter(({ on, selector }) => on.split('?')[0] === `${method} ${target}` && (!selector || headers.has(selector)))
    .filter((each) => selectorsOf(each).every((name) => query.has(name)))
    .sort((a, b) => selectorsOf(b).length - selectorsOf(a).length || Number(!!b.selector) - Number(!!a.selector));
  // The SDK adds `x-id` for logs.
  const parameters = [...(operation ? selectorsOf(operation) : []), ...(operation?.parameters ?? []), 'x-id'];
  const unknown = [...query.keys()].find((name) => !parameters.includes(name));
  if (unknown !== undefined) throw notImplemented(`${method} ${target} with ?${unknown}`);
  if (!operation) throw new S3Error('MethodNotAllowed', `The method ${method} is not allowed against a ${target}.`);
  const understood = [...(operation.headers ?? []), ...protocolHeaders];
  for (const name of headers.keys()) {
    const changesMeaning = name.startsWith('x-amz-') || name.startsWith('if-');
    if (changesMeaning && !understood.some((each) => matches(each, name))) {
      throw notImplemented(`${operation.name} with ${name}`);
    }
  }
  const { action = `s3:${operation.name}` } = operation;
  if (action !== null) call.record(action);
  return operation.run(call, services);
}

function selectorsOf({ on }: Operation): string[] {
  return on.split('?')[1]?.split('&') ?? [];
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
