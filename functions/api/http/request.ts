import { randomUUID } from 'node:crypto';
import type { APIGatewayEventIdentity, APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { Identity } from '../../submissions/identity.ts';
import { deterministicId } from '../../video/keys.ts';

/** What the handlers use of a request; `resource` is the route it matched. */
export type ApiRequest = Pick<
  APIGatewayProxyEvent,
  | 'resource'
  | 'path'
  | 'pathParameters'
  | 'queryStringParameters'
  | 'multiValueQueryStringParameters'
  | 'body'
  | 'isBase64Encoded'
> &
  RequestHeaders & {
    requestContext: {
      requestId?: string;
      /** What the authorizer said of the caller; there is none where API Gateway itself checks who signed. */
      authorizer?: Record<string, unknown> | null;
      identity?: SignerIdentity | null;
    };
  };

/** Who signed a request, where API Gateway checks signatures (`auth: iam`); else it is null. */
export type SignerIdentity = Partial<Pick<APIGatewayEventIdentity, 'userArn'>>;

/** Headers as API Gateway hands them on: names as the client wrote them, one value of each in the first, all in the second. */
export interface RequestHeaders {
  headers: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
}

/** The different values of a header, by its lower-case name: more than one when a client sent it twice, in whatever case. */
export function headerValues({ headers, multiValueHeaders }: RequestHeaders, name: string): string[] {
  const all = [
    ...Object.entries(multiValueHeaders ?? {}),
    ...Object.entries(headers ?? {}).map(([key, value]) => [key, value === undefined ? [] : [value]] as const),
  ];
  return [...new Set(all.flatMap(([key, values]) => (key.toLowerCase() === name ? (values ?? []) : [])))];
}

/** An answer in JSON. What an API tells of videos is its caller's alone, so no cache may keep it. */
export function json(statusCode: number, body: unknown, headers: Record<string, string> = {}): APIGatewayProxyResult {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}

/**
 * The id of the video that a request makes: determined by owner and Idempotency-Key, or a new one where there is no key.
 * @throws Problem 400 for a key that can't be used
 */
export function identify(request: ApiRequest, { owner }: Caller): Identity {
  const [key, ...others] = headerValues(request, 'idempotency-key');
  if (key === undefined) return { id: randomUUID(), repeatable: false };
  if (others.length === 0 && /^[\x21-\x7e]{1,255}$/.test(key)) {
    return { id: deterministicId('api', owner, key), repeatable: true };
  }
  throw new ProblemError(400, {
    code: 'invalid_idempotency_key',
    title: 'The Idempotency-Key can not be used.',
    detail: 'Send the header once, with 1 to 255 visible ASCII characters without spaces, such as a UUID.',
  });
}
