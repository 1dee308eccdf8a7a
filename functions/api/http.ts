import type { APIGatewayEventIdentity, APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';

/** Who calls, as the authorizer found out. */
export interface Caller {
  owner: string;
  key_id: string;
}

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
