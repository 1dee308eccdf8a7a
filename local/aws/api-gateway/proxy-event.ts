import type { APIGatewayProxyEvent, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { account, region } from '../account.ts';
import type { ApiDefinition } from './api-definition.ts';
import type { IamIdentity } from './iam-authorization.ts';
import { type ApiRequest, header } from './request.ts';
import { isBinary } from './response.ts';
import type { RouteMatch } from './routes.ts';

export interface ProxyRequest {
  api: ApiDefinition;
  request: ApiRequest;
  route: RouteMatch;
  /** The request's path within the API: without the base path of a custom domain name. */
  path: string;
}

/** The ARN of a method, for authorizers and their policies. */
export function methodArn({ api, request, path }: Pick<ProxyRequest, 'api' | 'request' | 'path'>): string {
  return `arn:aws:execute-api:${region}:${account}:${api.api_id}/${api.stage_name}/${request.http_method}${path}`;
}

/** The authorizer's context, or the identity of an IAM caller. Neither on a method without authorization. */
export interface CallerContext {
  authorizer?: Record<string, unknown>;
  identity?: IamIdentity;
}

/** The event of a Lambda proxy integration (payload version 1.0). */
export function proxyEvent(proxyRequest: ProxyRequest, { authorizer, identity }: CallerContext): APIGatewayProxyEvent {
  const { api, request } = proxyRequest;
  const isBinaryBody = request.body.length > 0 && isBinary(header(request, 'content-type'), api.binary_media_types);
  const { requestContext, ...common } = commonFields(proxyRequest);
  return {
    ...common,
    requestContext: { ...requestContext, authorizer, identity: { ...requestContext.identity, ...identity } },
    body: request.body.length === 0 ? null : request.body.toString(isBinaryBody ? 'base64' : 'utf8'),
    isBase64Encoded: isBinaryBody,
  };
}

/** The event of a REQUEST authorizer. */
export function authorizerEvent(proxyRequest: ProxyRequest): APIGatewayRequestAuthorizerEvent {
  return { type: 'REQUEST', methodArn: methodArn(proxyRequest), ...commonFields(proxyRequest) };
}

function commonFields({ api, request, route }: Omit<ProxyRequest, 'path'>) {
  const headers = forwardedHeaders(request);
  const query = [...request.query];
  return {
    resource: route.method.resource_path,
    path: request.path,
    httpMethod: request.http_method,
    headers: Object.fromEntries(headers),
    multiValueHeaders: multiValue(headers),
    queryStringParameters: orNull(Object.fromEntries(query)),
    multiValueQueryStringParameters: orNull(multiValue(query)),
    pathParameters: orNull(route.path_parameters),
    stageVariables: null,
    requestContext: requestContext({ api, request, route }),
  };
}

function requestContext({ api, request, route }: Omit<ProxyRequest, 'path'>) {
  return {
    accountId: account,
    apiId: api.api_id,
    authorizer: undefined,
    domainName: request.host,
    domainPrefix: api.api_id,
    extendedRequestId: request.request_id,
    httpMethod: request.http_method,
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      clientCert: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.source_ip,
      user: null,
      userAgent: header(request, 'user-agent') ?? null,
      userArn: null,
    },
    // With a custom domain name, the path does not contain the stage.
    path: request.path,
    protocol: request.protocol,
    requestId: request.request_id,
    requestTime: new Date(request.received_at).toUTCString(),
    requestTimeEpoch: request.received_at,
    resourceId: route.method.resource_path,
    resourcePath: route.method.resource_path,
    stage: api.stage_name,
  };
}

/** The client's headers and those that API Gateway adds. */
function forwardedHeaders(request: ApiRequest): (readonly [string, string])[] {
  return [
    ...request.headers,
    ['X-Forwarded-For', request.source_ip],
    ['X-Forwarded-Port', request.host.split(':')[1] ?? '80'],
    ['X-Forwarded-Proto', 'http'],
  ];
}

function multiValue(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(values);
}

function orNull<Values extends object>(values: Values): Values | null {
  return Object.keys(values).length === 0 ? null : values;
}
