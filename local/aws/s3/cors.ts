import { S3Error } from './errors.ts';
import type { Answer, Headers } from './http/messages.ts';
import type { CorsRule } from './store/records.ts';

type CorsHeaders = NonNullable<Answer['headers']>;

/** Answers a preflight by the first rule that allows it. @throws `AccessForbidden` */
export function answerPreflight(rules: readonly CorsRule[], headers: Headers): Answer {
  const origin = headers.get('origin');
  const method = headers.get('access-control-request-method');
  if (origin === undefined || method === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Insufficient information. Origin and Access-Control-Request-Method are needed.',
    );
  }
  const asked = (headers.get('access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const rule = rules.find((each) => allows(each, origin, method) && asked.every((name) => allowsHeader(each, name)));
  if (!rule) {
    throw new S3Error(
      'AccessForbidden',
      'CORSResponse: This CORS request is not allowed. The bucket has no rule for this origin, method and these headers.',
    );
  }
  return {
    status: 200,
    headers: { ...ruleHeaders(rule, origin), 'access-control-allow-headers': asked.join(', ') || undefined },
  };
}

/** The headers that an answer to a page of another origin carries; none when no rule allows it. */
export function corsHeaders(rules: readonly CorsRule[], method: string, headers: Headers): CorsHeaders {
  const origin = headers.get('origin');
  const rule = origin === undefined ? undefined : rules.find((each) => allows(each, origin, method));
  return rule && origin !== undefined ? ruleHeaders(rule, origin) : {};
}

function ruleHeaders(rule: CorsRule, origin: string): CorsHeaders {
  const anyOrigin = rule.allowed_origins.includes('*');
  return {
    'access-control-allow-origin': anyOrigin ? '*' : origin,
    'access-control-allow-methods': rule.allowed_methods.join(', '),
    'access-control-allow-credentials': anyOrigin ? undefined : 'true',
    'access-control-expose-headers': rule.exposed_headers?.join(', ') || undefined,
    'access-control-max-age': rule.max_age_seconds === undefined ? undefined : String(rule.max_age_seconds),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

function allows(rule: CorsRule, origin: string, method: string): boolean {
  return rule.allowed_methods.includes(method) && rule.allowed_origins.some((each) => matches(each, origin));
}

function allowsHeader(rule: CorsRule, name: string): boolean {
  return (rule.allowed_headers ?? []).some((each) => matches(each.toLowerCase(), name));
}

function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}
