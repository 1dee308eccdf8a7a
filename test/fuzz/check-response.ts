import type { Contract, ContractAnswer } from '../support/contract.ts';
import { accessFault } from './access.ts';
import type { FuzzRequest } from './requests.ts';
import type { RawResponse } from './send.ts';

/** Patterns that no response may contain. */
const leaks: readonly RegExp[] = [
  /\n\s+at .+:\d+:\d+/,
  /\bnode_modules\b|\/var\/task|index\.js:\d+/,
  /\b(TypeError|RangeError|SyntaxError|ReferenceError|ConditionalCheckFailedException|ValidationException)\b/,
  /aliyuncs\.com/,
];

/**
 * Checks a response against the contract and the rights of its caller. A request to no operation may get any error response of
 * the API.
 * @param secrets texts that no response may contain
 * @returns the first fault, or undefined
 */
export function faultOf(
  contract: Contract,
  request: FuzzRequest,
  response: RawResponse,
  secrets: readonly string[],
): string | undefined {
  const { route, method } = request;
  const { status, headers, body } = response;
  if (status >= 500) return `a ${status}`;
  const leak = leakOf(privateTextOf(request, response), secrets);
  if (leak) return leak;
  const unauthorized = accessFault(contract, request, response);
  if (unauthorized) return unauthorized;
  const type = String(headers['content-type'] ?? '').split(';')[0]!;
  if (method === 'HEAD') return body === '' ? undefined : 'a body';
  if (!route) return strayFault(contract, status, type, body);
  const declared = route.responses[status];
  if (!declared) return `the undeclared status ${status}`;
  return headersFault(contract, declared, response) ?? contentFault(contract, declared, type, response);
}

/**
 * Returns the text of a response that must not contain secrets. The contract and the pages contain examples that would look like
 * leaks, and a page's content security policy names the origins that a deployment trusts.
 */
function privateTextOf({ path }: FuzzRequest, { status, headers, body }: RawResponse): string {
  // By path: a request that targets no operation may be one for a page too.
  const isPage = ['/', '/docs', '/openapi.json'].includes(path);
  const { 'content-security-policy': policy, ...others } = headers;
  const parts = isPage && (status === 200 || status === 304) ? others : { ...headers, body };
  return Object.values(parts).flat().join('\n');
}

function leakOf(text: string, secrets: readonly string[]): string | undefined {
  if (secrets.some((secret) => text.includes(secret))) return 'it contains a secret';
  const leak = leaks.find((pattern) => pattern.test(text));
  return leak && `it contains ${leak}`;
}

function headersFault(
  contract: Contract,
  { headers: declared = {} }: ContractAnswer,
  { status, headers, body }: RawResponse,
): string | undefined {
  for (const [name, reference] of Object.entries(declared)) {
    const { required, schema } = contract.headerOf(reference);
    const value = headers[name.toLowerCase()];
    if (value === undefined && required) return `a ${status} without ${name}`;
    const fault = value === undefined ? undefined : contract.faultOf(schema, String(value));
    if (fault) return `${name}: ${fault}`;
  }
  // Of several problems with the same status, only those that mention Retry-After must have it.
  const isAnnounced = status >= 400 && body.includes('Retry-After');
  return isAnnounced && headers['retry-after'] === undefined ? `a ${status} that mentions Retry-After` : undefined;
}

function contentFault(
  contract: Contract,
  { content }: ContractAnswer,
  type: string,
  { status, body }: RawResponse,
): string | undefined {
  if (!content) return body === '' ? undefined : `a body with ${status}`;
  const declared = content[type];
  if (!declared) return `the undeclared content type "${type}" with ${status}`;
  return type.includes('json') ? jsonFault(contract, declared.schema, body) : undefined;
}

const errorSchemas = ['Problem', 'GatewayProblem', 'DashscopeError'].map((name) => ({
  $ref: `#/components/schemas/${name}`,
}));

/** Checks a response to a request without an operation. An odd path may still be one of the API's and succeed. */
function strayFault(contract: Contract, status: number, type: string, body: string): string | undefined {
  if (status < 400) return undefined;
  if (!type.includes('json')) return `the content type "${type}" with ${status}`;
  return jsonFault(contract, { anyOf: errorSchemas }, body);
}

function jsonFault(contract: Contract, schema: unknown, body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return 'a body that is not JSON';
  }
  return contract.faultOf(schema, value);
}
