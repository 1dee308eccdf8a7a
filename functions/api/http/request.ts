import { randomUUID } from 'node:crypto';
import type { APIGatewayEventIdentity, APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Caller } from '../../shared/caller.ts';
import { ProblemError } from '../../shared/problem.ts';
import type { Identity } from '../../submissions/identity.ts';
import { deterministicId } from '../../video/keys.ts';

/** The parts of a request that handlers use; `resource` is the route that it matched. */
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
      /** The authorizer's context; absent where API Gateway itself checks signatures. */
      authorizer?: Record<string, unknown> | null;
      identity?: SignerIdentity | null;
    };
  };

/** The principal that signed a request, where API Gateway checks signatures (`auth: iam`); otherwise null. */
export type SignerIdentity = Partial<Pick<APIGatewayEventIdentity, 'userArn'>>;

/** Headers as API Gateway passes them: names in the client's spelling, the last value of each in `headers`, all in `multiValueHeaders`. */
export interface RequestHeaders {
  headers: Record<string, string | undefined> | null;
  multiValueHeaders?: Record<string, string[] | undefined> | null;
}

/** The distinct values of a header, by its lower-case name. There are several when a client sent it more than once, in any case. */
export function headerValues({ headers, multiValueHeaders }: RequestHeaders, name: string): string[] {
  const all = [
    ...Object.entries(multiValueHeaders ?? {}),
    ...Object.entries(headers ?? {}).map(([key, value]) => [key, value === undefined ? [] : [value]] as const),
  ];
  return [...new Set(all.flatMap(([key, values]) => (key.toLowerCase() === name ? (values ?? []) : [])))];
}

/** A JSON response. Responses belong to one caller, so no cache may store them. */
export function json(statusCode: number, body: unknown, headers: Record<string, string> = {}): APIGatewayProxyResult {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}

/**
 * The id of the video that a request creates: derived from owner and Idempotency-Key, or random without a key.
 * @throws ProblemError 400 for an invalid key
 */
export function identify(request: ApiRequest, { owner }: Caller): Identity {
  const [key, ...others] = headerValues(request, 'idempotency-key');
  if (key === undefined) return { id: randomUUID(), repeatable: false };
  if (others.length === 0 && /^[\x21-\x7e]{1,255}$/.test(key)) {
    return { id: deterministicId('api', owner, key), repeatable: true };
  }
  throw new ProblemError(400, {
    code: 'invalid_idempotency_key',
    title: 'The Idempotency-Key is invalid.',
    detail: 'Send the header once, with 1 to 255 visible ASCII characters without spaces, such as a UUID.',
  });
}
