import type { Call } from './call.ts';
import { checksumAlgorithms, checksumHeader } from './checksum.ts';
import { notImplemented, S3Error } from './errors.ts';
import type { Operation } from './operations/operation.ts';

export type RoutedRequest = Pick<Call, 'method' | 'target' | 'query' | 'headers'>;

/** Parameters that say nothing: the SDK adds `x-id` for logs. */
const emptyParameters = ['x-id'];

/** Headers of the protocol itself. Clients send checksums of an empty body as well, which say nothing to a read. */
const protocolHeaders = [
  ...checksumAlgorithms.map(checksumHeader),
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-user-agent',
];

/**
 * Finds the operation a request means: of those with its method and target, the one with most of its selectors.
 * @throws `NotImplemented` naming the first parameter or header that the operation would have to ignore, `MethodNotAllowed`
 */
export function routeRequest(request: RoutedRequest, operations: readonly Operation[]): Operation {
  const target = request.target.key !== '' ? 'object' : request.target.bucket !== '' ? 'bucket' : 'service';
  const [operation] = operations
    .filter((each) => each.method === request.method && each.target === target && isSelected(each, request))
    .sort((a, b) => selectorCount(b) - selectorCount(a));
  const parameters = [...(operation?.selectors ?? []), ...(operation?.parameters ?? []), ...emptyParameters];
  for (const name of request.query.keys()) {
    if (!understands(parameters, name)) throw notImplemented(`${leftOut(request, target, name)}?${name}`);
  }
  if (!operation) {
    throw new S3Error('MethodNotAllowed', `The method ${request.method} is not allowed against a ${target}.`, {
      elements: { Method: request.method, ResourceType: target.toUpperCase() },
    });
  }
  const headers = [...(operation.headers ?? []), operation.selectorHeader ?? '', ...protocolHeaders];
  for (const name of request.headers.keys()) {
    if (changesMeaning(name) && !understands(headers, name)) throw notImplemented(`${operation.name} with ${name}`);
  }
  return operation;
}

/** Operations that none of the clients in README.md sends, by method, target and subresource. */
const leftOutOperations: Record<string, string> = {
  'PUT object tagging': 'PutObjectTagging',
  'DELETE object tagging': 'DeleteObjectTagging',
  'GET object acl': 'GetObjectAcl',
  'PUT object acl': 'PutObjectAcl',
  'GET object attributes': 'GetObjectAttributes',
  'GET object uploadId': 'ListParts',
  'GET bucket uploads': 'ListMultipartUploads',
  'GET bucket location': 'GetBucketLocation',
  'PUT bucket versioning': 'PutBucketVersioning',
};

function leftOut({ method }: RoutedRequest, target: Operation['target'], parameter: string): string {
  const name = leftOutOperations[`${method} ${target} ${parameter}`];
  return name === undefined ? `${method} with ` : `${name}: ${method} with `;
}

function isSelected(operation: Operation, request: RoutedRequest): boolean {
  const { selectors = [], selectorHeader } = operation;
  if (selectorHeader !== undefined && !request.headers.has(selectorHeader)) return false;
  return selectors.every((name) => request.query.has(name));
}

function selectorCount({ selectors = [], selectorHeader }: Operation): number {
  return selectors.length + (selectorHeader === undefined ? 0 : 1);
}

function changesMeaning(header: string): boolean {
  return header.startsWith('x-amz-') || header.startsWith('if-');
}

function understands(names: readonly string[], name: string): boolean {
  return names.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : each === name));
}
