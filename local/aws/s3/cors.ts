import { S3Error } from './errors.ts';
import type { Headers, S3Response } from './http/messages.ts';
import type { CorsRule } from './store/records.ts';

type CorsHeaders = NonNullable<S3Response['headers']>;

/** Responds to a preflight request by the first rule that allows it. @throws `AccessForbidden` */
export function preflightResponse(rules: readonly CorsRule[], headers: Headers): S3Response {
  const origin = headers.get('origin');
  const method = headers.get('access-control-request-method');
  if (origin === undefined || method === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Insufficient information. Origin and Access-Control-Request-Method are needed.',
    );
  }
  const requestedHeaders = (headers.get('access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const rule = rules.find(
    (candidate) =>
      allowsRequest(candidate, origin, method) && requestedHeaders.every((name) => allowsHeader(candidate, name)),
  );
  if (!rule) {
    throw new S3Error(
      'AccessForbidden',
      'CORSResponse: This CORS request is not allowed. The bucket has no rule for this origin, method and these headers.',
    );
  }
  return {
    status: 200,
    headers: { ...ruleHeaders(rule, origin), 'access-control-allow-headers': requestedHeaders.join(', ') || undefined },
  };
}

/** The CORS headers of a response. Empty if no rule allows the origin and method. */
export function corsHeaders(rules: readonly CorsRule[], method: string, headers: Headers): CorsHeaders {
  const origin = headers.get('origin');
  const rule = origin === undefined ? undefined : rules.find((candidate) => allowsRequest(candidate, origin, method));
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

function allowsRequest(rule: CorsRule, origin: string, method: string): boolean {
  return (
    rule.allowed_methods.includes(method) && rule.allowed_origins.some((pattern) => matchesPattern(pattern, origin))
  );
}

function allowsHeader(rule: CorsRule, name: string): boolean {
  return (rule.allowed_headers ?? []).some((pattern) => matchesPattern(pattern.toLowerCase(), name));
}

function matchesPattern(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= head.length + tail.length && text.startsWith(head) && text.endsWith(tail);
}
