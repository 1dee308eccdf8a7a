import { createHash } from 'node:crypto';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { canonicalJson } from './canonical-json.ts';
import { headerValues, type RequestHeaders } from './http.ts';

/** The strong ETag of a body that is sent as JSON: of what it says, in whichever order its fields stand. */
export const etagOf = (body: unknown): string =>
  `"${createHash('sha256').update(canonicalJson(body)).digest('base64url')}"`;

/**
 * A 200 with the ETag of its JSON, or a 304 without a body when the caller's `If-None-Match` knows them already. Who keeps an
 * answer asks again before using it, and keeps it for one key alone.
 */
export function withEtag(request: RequestHeaders, answer: APIGatewayProxyResult): APIGatewayProxyResult {
  const etag = etagOf(JSON.parse(answer.body));
  const headers = { ...answer.headers, etag, 'cache-control': 'private, no-cache', vary: 'Authorization' };
  if (!matches(request, 'if-none-match', etag)) return { ...answer, headers };
  const { 'content-type': ofTheBody, ...kept }: Record<string, string | number | boolean> = headers;
  return { statusCode: 304, headers: kept, body: '' };
}

/**
 * Whether a header of conditions names an ETag, or `*`. `If-None-Match` takes a weak tag for the strong one it was made from;
 * `If-Match` does not, since it guards a change (RFC 9110, 13.1). What is no ETag matches nothing.
 * @returns false, too, when the request has no such header
 */
export function matches(request: RequestHeaders, name: 'if-match' | 'if-none-match', etag: string): boolean {
  const given = headerValues(request, name).join(',');
  if (given.trim() === '*') return true;
  const tags = given.matchAll(/(?:^|,)\s*(W\/)?("[^"]*")\s*(?=,|$)/g);
  return [...tags].some(([, weak, tag]) => tag === etag && (name === 'if-none-match' || !weak));
}
