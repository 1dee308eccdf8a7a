import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Synthesis } from '../../infra/synthesize.ts';
import { type Found, flatten, resourcesOf, synthesizeStandIns } from './support.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});
const all = (type: string): Found[] => resourcesOf(synthesis.template, type);

/** The path of an AWS::ApiGateway::Resource, by its parents. */
function pathOf(resource: unknown): string {
  const id = flatten(resource);
  if (id.endsWith('.RootResourceId>')) return '';
  const { ParentId, PathPart } = synthesis.template.Resources[id.slice(1, -1)]!.Properties as {
    ParentId: unknown;
    PathPart: string;
  };
  return `${pathOf(ParentId)}/${PathPart}`;
}

function functionBehind(uri: unknown): string {
  const alias = /<(\w+)>\/invocations$/.exec(flatten(uri))![1]!;
  const { FunctionName } = synthesis.template.Resources[alias]!.Properties as { FunctionName: { Ref: string } };
  return synthesis.functions[FunctionName.Ref]!.name;
}

describe('the API', () => {
  test('has the routes of the design, each with its function and its authorizer', () => {
    const routes = all('AWS::ApiGateway::Method').map(
      ({ properties: { HttpMethod, ResourceId, Integration, AuthorizationType } }) => [
        `${HttpMethod} ${pathOf(ResourceId)}`,
        functionBehind(Integration.Uri),
        AuthorizationType,
      ],
    );
    expect(routes.sort()).toEqual([
      ['GET ', 'console', 'NONE'],
      ['GET /health', 'health', 'NONE'],
      ['GET /videos', 'videos', 'CUSTOM'],
      ['GET /videos/{id}', 'videos', 'CUSTOM'],
      ['GET /videos/{id}/content', 'videos', 'CUSTOM'],
      ['POST /videos', 'submit', 'CUSTOM'],
    ]);
  });

  test('passes requests on whole: no model stands before the functions, which explain a wrong body themselves', () => {
    for (const { properties } of all('AWS::ApiGateway::Method')) {
      expect(properties.Integration.Type).toBe('AWS_PROXY');
      expect(properties.RequestModels).toBeUndefined();
    }
  });

  test("asks one authorizer for all, by the key's header, and remembers its answer for a minute", () => {
    const [authorizer, ...others] = all('AWS::ApiGateway::Authorizer');
    expect(others).toEqual([]);
    expect(authorizer!.properties).toMatchObject({
      Type: 'REQUEST',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: 60,
    });
    for (const { properties } of all('AWS::ApiGateway::Method').filter(
      (method) => method.properties.AuthorizationType !== 'NONE',
    )) {
      expect(properties.AuthorizerId).toEqual({ Ref: authorizer!.id });
    }
  });

  test('is regional, throttled, traced, and logs each request without what is secret', async () => {
    const { template } = await synthesizeStandIns({ apiThrottle: { rate: 7, burst: 9 } });
    const { properties } = resourcesOf(template, 'AWS::ApiGateway::Stage')[0]!;
    expect(all('AWS::ApiGateway::RestApi')[0]!.properties.EndpointConfiguration).toEqual({ Types: ['REGIONAL'] });
    expect(properties).toMatchObject({
      StageName: 'v1',
      TracingEnabled: true,
      MethodSettings: [
        {
          HttpMethod: '*',
          ResourcePath: '/*',
          ThrottlingRateLimit: 7,
          ThrottlingBurstLimit: 9,
          DataTraceEnabled: false,
          LoggingLevel: 'ERROR',
        },
      ],
    });
    const line = JSON.parse(properties.AccessLogSetting.Format) as Record<string, string>;
    expect(line).toMatchObject({
      request_id: '$context.requestId',
      status: '$context.status',
      owner: '$context.authorizer.owner',
    });
    expect(Object.values(line).filter((value) => !value.startsWith('$context.'))).toEqual([]);
  });
});

describe('the gateway’s own answers', () => {
  const statuses: Record<string, number> = {
    ACCESS_DENIED: 403,
    MISSING_AUTHENTICATION_TOKEN: 404,
    RESOURCE_NOT_FOUND: 404,
    REQUEST_TOO_LARGE: 413,
    THROTTLED: 429,
    UNAUTHORIZED: 401,
    AUTHORIZER_FAILURE: 500,
    INTEGRATION_FAILURE: 502,
    INTEGRATION_TIMEOUT: 504,
    DEFAULT_4XX: 400,
    DEFAULT_5XX: 500,
  };

  test('are shaped for every type there is', () => {
    const types = Object.values(ResponseType)
      .filter((type) => type instanceof ResponseType)
      .map(({ responseType }) => responseType);
    expect(types.length).toBeGreaterThan(20);
    expect(
      all('AWS::ApiGateway::GatewayResponse')
        .map(({ properties }) => properties.ResponseType)
        .sort(),
    ).toEqual(types.sort());
  });

  test('are JSON for both dialects, and use no text of the caller', () => {
    for (const { properties } of all('AWS::ApiGateway::GatewayResponse')) {
      expect(Object.keys(properties.ResponseTemplates)).toEqual(['application/json']);
      const template = properties.ResponseTemplates['application/json'] as string;
      expect(template.match(/\$[\w.]+/g)).toEqual(['$context.requestId']);
      const body = JSON.parse(template.replace('$context.requestId', 'c0ffee'));
      expect(body).toEqual({
        type: 'about:blank',
        title: expect.stringMatching(/\.$/),
        status: Number(properties.StatusCode),
        detail: expect.stringMatching(/\.$/),
        code: expect.stringMatching(/^[A-Z][A-Za-z.]+$/),
        message: body.detail,
        request_id: 'c0ffee',
      });
    }
  });

  test.each(Object.entries(statuses))('%s is %i', (type, status) => {
    const found = all('AWS::ApiGateway::GatewayResponse').find(({ properties }) => properties.ResponseType === type)!;
    expect(found.properties.StatusCode).toBe(String(status));
  });

  test.each([
    ['UNAUTHORIZED', 'WWW-Authenticate', "'Bearer'"],
    ['THROTTLED', 'Retry-After', "'1'"],
  ])('%s says in %s how to go on', (type, header, value) => {
    const found = all('AWS::ApiGateway::GatewayResponse').find(({ properties }) => properties.ResponseType === type)!;
    expect(found.properties.ResponseParameters).toEqual({ [`gatewayresponse.header.${header}`]: value });
  });
});
