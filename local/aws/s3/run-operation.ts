import { checksumAlgorithms, checksumHeader } from './body/checksum.ts';
import { notImplemented, S3Error } from './errors.ts';
import type { S3Response } from './http/messages.ts';
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

/** An operation of the S3 API: the requests that it matches and what it supports of them. */
interface Operation {
  /** As in the API reference. */
  name: string;
  /** The method and target, then the parameters that select this operation. */
  route: string;
  /** A header that selects this operation. @default none */
  selector?: string;
  /** The IAM action on the target, or `null` if the operation records its actions itself. @default `s3:<name>` */
  action?: string | null;
  /** Further supported parameters. Any other is rejected with 501. @default none */
  parameters?: readonly string[];
  /**
   * Supported `x-amz-` and `if-` headers. Any other is rejected with 501. A trailing `*` is a wildcard. @default none
   */
  headers?: readonly string[];
  run: (call: Call, services: Services) => Promise<S3Response>;
}

/** Headers that describe the encoding and checksum of a body. */
const body = ['x-amz-checksum-*', 'x-amz-decoded-content-length', 'x-amz-sdk-checksum-algorithm', 'x-amz-trailer'];
const conditions = ['if-match', 'if-none-match'];
const source = ['x-amz-copy-source', 'x-amz-copy-source-if-match'];
/** Tagging and annotation directives are accepted and have no effect, since objects have neither here. */
const directives = ['x-amz-metadata-directive', 'x-amz-tagging-directive', 'x-amz-object-annotation-directive'];
const listing = ['prefix', 'delimiter', 'encoding-type', 'max-keys'];
const paging = {
  v1: [...listing, 'marker'],
  v2: [...listing, 'continuation-token', 'start-after'],
  versions: [...listing, 'key-marker', 'version-id-marker'],
};
const readOptions = {
  action: null,
  parameters: ['versionId', ...contentHeaders.map((name) => `response-${name}`)],
  headers: [...conditions, 'if-modified-since', 'if-unmodified-since', 'if-range', 'x-amz-checksum-mode'],
};
const putOptions = { action: 's3:PutObject' };
const copyOptions = { ...putOptions, selector: 'x-amz-copy-source' };

/** All supported operations with a signature. */
const operations: readonly Operation[] = [
  { name: 'ListBuckets', route: 'GET service', action: 's3:ListAllMyBuckets', run: listBuckets },
  { name: 'CreateBucket', route: 'PUT bucket', headers: [...body, 'x-amz-acl'], run: createBucket },
  { name: 'HeadBucket', route: 'HEAD bucket', action: 's3:ListBucket', run: headBucket },
  { name: 'DeleteBucket', route: 'DELETE bucket', run: deleteBucket },
  { name: 'GetBucketVersioning', route: 'GET bucket?versioning', run: getBucketVersioning },
  { name: 'ListObjectsV2', route: 'GET bucket?list-type', action: null, parameters: paging.v2, run: listObjectsV2 },
  { name: 'ListObjects', route: 'GET bucket', action: null, parameters: paging.v1, run: listObjects },
  {
    name: 'ListObjectVersions',
    route: 'GET bucket?versions',
    action: null,
    parameters: paging.versions,
    run: listObjectVersions,
  },
  { name: 'DeleteObjects', route: 'POST bucket?delete', action: null, headers: body, run: deleteObjects },
  { name: 'PutObject', route: 'PUT object', headers: [...attributeHeaders, ...body, ...conditions], run: putObject },
  { name: 'GetObject', route: 'GET object', ...readOptions, run: getObject },
  { name: 'HeadObject', route: 'HEAD object', ...readOptions, run: getObject },
  { name: 'GetObjectTagging', route: 'GET object?tagging', run: getObjectTagging },
  { name: 'DeleteObject', route: 'DELETE object', action: null, parameters: ['versionId'], run: deleteObject },
  {
    name: 'CopyObject',
    route: 'PUT object',
    ...copyOptions,
    headers: [...attributeHeaders, ...conditions, ...source, ...directives],
    run: copyObject,
  },
  {
    name: 'CreateMultipartUpload',
    route: 'POST object?uploads',
    ...putOptions,
    headers: [...attributeHeaders, 'x-amz-checksum-algorithm'],
    run: createMultipartUpload,
  },
  { name: 'UploadPart', route: 'PUT object?partNumber&uploadId', ...putOptions, headers: body, run: uploadPart },
  {
    name: 'UploadPartCopy',
    route: 'PUT object?partNumber&uploadId',
    ...copyOptions,
    headers: [...source, 'x-amz-copy-source-range'],
    run: uploadPartCopy,
  },
  {
    name: 'CompleteMultipartUpload',
    route: 'POST object?uploadId',
    ...putOptions,
    headers: [...conditions, 'x-amz-mp-object-size'],
    run: completeMultipartUpload,
  },
  { name: 'AbortMultipartUpload', route: 'DELETE object?uploadId', run: abortMultipartUpload },
];

/** Headers of the protocol itself. Clients also send checksums of an empty body, which have no effect on a read. */
const protocolHeaders = [
  ...checksumAlgorithms.map(checksumHeader),
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-user-agent',
];

/**
 * Runs the operation of a request: among those with its method and target, the one with the most matching selectors.
 * @throws `NotImplemented` naming the first unsupported parameter or header, `MethodNotAllowed`
 */
export async function runOperation(call: Call, services: Services): Promise<S3Response> {
  const { method, query, headers } = call;
  const target = call.target.key !== '' ? 'object' : call.target.bucket !== '' ? 'bucket' : 'service';
  const [operation] = operations
    .filter(
      ({ route, selector }) => route.split('?')[0] === `${method} ${target}` && (!selector || headers.has(selector)),
    )
    .filter((operation) => selectorsOf(operation).every((name) => query.has(name)))
    .sort((a, b) => selectorsOf(b).length - selectorsOf(a).length || Number(!!b.selector) - Number(!!a.selector));
  // The SDK adds `x-id` for logs.
  const parameters = [...(operation ? selectorsOf(operation) : []), ...(operation?.parameters ?? []), 'x-id'];
  const unsupported = [...query.keys()].find((name) => !parameters.includes(name));
  if (unsupported !== undefined) throw notImplemented(`${method} ${target} with ?${unsupported}`);
  if (!operation) throw new S3Error('MethodNotAllowed', `The method ${method} is not allowed against a ${target}.`);
  const supportedHeaders = [...(operation.headers ?? []), ...protocolHeaders];
  for (const name of headers.keys()) {
    const isSignificant = name.startsWith('x-amz-') || name.startsWith('if-');
    if (isSignificant && !supportedHeaders.some((pattern) => matchesHeader(pattern, name))) {
      throw notImplemented(`${operation.name} with ${name}`);
    }
  }
  const { action = `s3:${operation.name}` } = operation;
  if (action !== null) call.record(action);
  return operation.run(call, services);
}

function selectorsOf({ route }: Operation): string[] {
  return route.split('?')[1]?.split('&') ?? [];
}

function matchesHeader(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}
