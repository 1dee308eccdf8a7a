import type { Contract, ContractAnswer } from '../support/contract.ts';
import { accessFault } from './access.ts';
import type { FuzzRequest } from './requests.ts';
import type { RawAnswer } from './send.ts';

/** What is never in an answer, whatever was asked. */
const leaks: readonly RegExp[] = [
  /\n\s+at .+:\d+:\d+/,
  /\bnode_modules\b|\/var\/task|index\.js:\d+/,
  /\b(TypeError|RangeError|SyntaxError|ReferenceError|ConditionalCheckFailedException|ValidationException)\b/,
  /aliyuncs\.com/,
];

/**
 * What is wrong with an answer by the contract, and by who asked for what; undefined if nothing is. Where the request meant no
 * operation, any of the API's own ways to say no is right.
 * @param secrets texts that must be in no answer
 */
export function faultOf(
  contract: Contract,
  request: FuzzRequest,
  answer: RawAnswer,
  secrets: readonly string[],
): string | undefined {
  const { route, method } = request;
  const { status, headers, body } = answer;
  if (status >= 500) return `a ${status}`;
  const leak = leakOf(toldBy(request, answer), secrets);
  if (leak) return leak;
  const unauthorized = accessFault(contract, request, answer);
  if (unauthorized) return unauthorized;
  const type = String(headers['content-type'] ?? '').split(';')[0]!;
  if (method === 'HEAD') return body === '' ? undefined : 'a body';
  if (!route) return strayFault(contract, status, type, body);
  const declared = route.responses[status];
  if (!declared) return `the undeclared status ${status}`;
  return headersFault(contract, declared, answer) ?? contentFault(contract, declared, type, answer);
}

/**
 * What an answer tells that may be a leak. The contract and the pages show examples of what must be nowhere else, and a page's policy
 * names the origins that a deployment trusts.
 */
function toldBy({ route }: FuzzRequest, { status, headers, body }: RawAnswer): string {
  const isPage = route?.path === '/docs' || route?.path === '/' || route?.path === '/openapi.json';
  const { 'content-security-policy': policy, ...others } = headers;
  const told = isPage && status === 200 ? others : { ...headers, body };
  return Object.values(told).flat().join('\n');
}

function leakOf(text: string, secrets: readonly string[]): string | undefined {
  if (secrets.some((secret) => text.includes(secret))) return 'it tells a secret';
  const leak = leaks.find((pattern) => pattern.test(text));
  return leak && `it tells ${leak}`;
}

function headersFault(
  contract: Contract,
  { headers: declared = {} }: ContractAnswer,
  { status, headers, body }: RawAnswer,
): string | undefined {
  for (const [name, reference] of Object.entries(declared)) {
    const { required, schema } = contract.headerOf(reference);
    const value = headers[name.toLowerCase()];
    if (value === undefined && required) return `a ${status} without ${name}`;
    const fault = value === undefined ? undefined : contract.faultOf(schema, String(value));
    if (fault) return `${name}: ${fault}`;
  }
  // Whether one of several problems of the same status has it, its own words say.
  const isAnnounced = status >= 400 && body.includes('Retry-After');
  return isAnnounced && headers['retry-after'] === undefined ? `a ${status} that speaks of Retry-After` : undefined;
}

function contentFault(
  contract: Contract,
  { content }: ContractAnswer,
  type: string,
  { status, body }: RawAnswer,
): string | undefined {
  if (!content) return body === '' ? undefined : `a body with ${status}`;
  const declared = content[type];
  if (!declared) return `the undeclared content type "${type}" with ${status}`;
  return type.includes('json') ? jsonFault(contract, declared.schema, body) : undefined;
}

const refusals = ['Problem', 'GatewayProblem', 'DashscopeError'].map((name) => ({
  $ref: `#/components/schemas/${name}`,
}));

/** A path that looks odd may still be one of the API's: then its answer is one of success. */
function strayFault(contract: Contract, status: number, type: string, body: string): string | undefined {
  if (status < 400) return undefined;
  if (!type.includes('json')) return `the content type "${type}" with ${status}`;
  return jsonFault(contract, { anyOf: refusals }, body);
}

function jsonFault(contract: Contract, schema: unknown, body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return 'a body that is no JSON';
  }
  return contract.faultOf(schema, value);
}
