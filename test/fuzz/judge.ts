import type { Contract, Route } from '../support/contract.ts';
import type { RawAnswer } from './send.ts';

/** What is never in an answer, whatever was asked. */
const leaks: readonly RegExp[] = [
  /\n\s+at .+:\d+:\d+/,
  /\bnode_modules\b|\/var\/task|index\.js:\d+/,
  /\b(TypeError|RangeError|SyntaxError|ReferenceError|ConditionalCheckFailedException|ValidationException)\b/,
  /aliyuncs\.com/,
];

/**
 * What is wrong with an answer by the contract; undefined if nothing is.
 * @param route the operation that was meant; without one, any of the API's own ways to say no is right
 * @param secrets texts that must be in no answer
 */
export function faultOf(
  contract: Contract,
  route: Route | undefined,
  method: string,
  { status, headers, body }: RawAnswer,
  secrets: readonly string[],
): string | undefined {
  if (status >= 500) return `a ${status}`;
  const isContract = route?.path === '/docs' || route?.path === '/' || route?.path === '/openapi.json';
  const leak = leaks.find((pattern) => pattern.test(body)) ?? secrets.find((secret) => body.includes(secret));
  if (leak && !(isContract && status === 200)) return `it tells ${leak instanceof RegExp ? leak : 'a secret'}`;
  const type = String(headers['content-type'] ?? '').split(';')[0]!;
  if (method === 'HEAD') return body === '' ? undefined : 'a body';
  if (!route) return strayFault(contract, status, type, body);
  const declared = route.responses[status];
  if (!declared) return `the undeclared status ${status}`;
  if (!declared.content) return body === '' ? undefined : `a body with ${status}`;
  const content = declared.content[type];
  if (!content) return `the undeclared content type "${type}" with ${status}`;
  return type.includes('json') ? jsonFault(contract, content.schema, body) : undefined;
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
