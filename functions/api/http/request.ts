import type { APIGatewayEventIdentity, APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

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
