import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Synthesis } from '../../../infra/synth/synthesize.ts';
import { type Found, flatten, resourcesOf, synthesizeStandIns } from '../support.ts';

/** The three ways in which callers show who they are. */
const modes: [string, Record<string, unknown>][] = [
  ['api-key', {}],
  ['jwt', { auth: 'jwt', jwt: { issuer: 'https://id.example', audience: 'firstframe' } }],
  ['iam', { auth: 'iam' }],
];

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});
const all = (type: string): Found[] => resourcesOf(synthesis.template, type);

/** The path of an AWS::ApiGateway::Resource, by its parents. */
function pathOf({ template }: Synthesis, resource: unknown): string {
  const id = flatten(resource);
  if (id.endsWith('.RootResourceId>')) return '';
  const { ParentId, PathPart } = template.Resources[id.slice(1, -1)]!.Properties as {
    ParentId: unknown;
    PathPart: string;
  };
  return `${pathOf({ template } as Synthesis, ParentId)}/${PathPart}`;
}

function functionBehind({ template, functions }: Synthesis, uri: unknown): string {
  const alias = /<(\w+)>\/invocations$/.exec(flatten(uri))![1]!;
  const { FunctionName } = template.Resources[alias]!.Properties as { FunctionName: { Ref: string } };
  return functions[FunctionName.Ref]!.name;
}

/** What each route asks of a caller: an authorization type, and an authorizer's identity source. */
const routesOf = (of: Synthesis): [route: string, name: string, asks: string][] =>
  resourcesOf(of.template, 'AWS::ApiGateway::Method').map(
    ({ properties: { HttpMethod, ResourceId, Integration, AuthorizationType, AuthorizerId } }) => {
      const authorizer = AuthorizerId && of.template.Resources[AuthorizerId.Ref]!.Properties!;
      return [
        `${HttpMethod} ${pathOf(of, ResourceId)}`,
        functionBehind(of, Integration.Uri),
        [AuthorizationType, ...(authorizer ? [authorizer.IdentitySource] : [])].join(' '),
      ];
    },
  );

const byKey = 'CUSTOM method.request.header.Authorization';
const byUploadToken = 'CUSTOM method.request.querystring.upload_token';

describe('the API', () => {
  test('has the routes of the design, each with its function and what it asks for', () => {
    expect(routesOf(synthesis).sort()).toEqual(
      [
        ['GET ', 'console', 'NONE'],
        ['GET /health', 'health', 'NONE'],
        ['GET /openapi.json', 'contract', 'NONE'],
        ['GET /docs', 'contract', 'NONE'],
        ['GET /models', 'catalogue', byKey],
        ['POST /estimates', 'catalogue', byKey],
        ['POST /uploads', 'uploads', byKey],
        ['GET /usage', 'videos', byKey],
        ['POST /videos', 'submit', byKey],
        ['GET /videos', 'videos', byKey],
        ['GET /videos/{id}', 'videos', byKey],
        ['GET /videos/{id}/content', 'videos', byKey],
        ['POST /videos/{id}/cancel', 'actions', byKey],
        ['POST /videos/{id}/retry', 'actions', byKey],
        ['DELETE /videos/{id}', 'actions', byKey],
        ['ANY /api/v1/{proxy+}', 'dashscope', byKey],
        ['GET /api/v1/uploads', 'dashscope', byKey],
        ['POST /api/v1/uploads', 'dashscope', byUploadToken],
      ].sort(),
    );
  });

  test.each(modes)('is open with %s only where it says the same to everybody', async (_, context) => {
    const open = ['GET ', 'GET /health', 'GET /openapi.json', 'GET /docs'];
    for (const [route, , asks] of routesOf(await synthesizeStandIns(context))) {
      if (!open.includes(route)) expect([route, asks]).toEqual([route, expect.stringMatching(/^(CUSTOM .+|AWS_IAM)$/)]);
    }
  });

  test.each(modes)(
    'has with %s one kind of caller on all other routes but the upload of a form',
    async (mode, context) => {
      const routes = routesOf(await synthesizeStandIns(context)).filter(([, , asks]) => asks !== 'NONE');
      const asked = Object.fromEntries(routes.map(([route, , asks]) => [route, asks]));
      expect(asked['POST /api/v1/uploads']).toBe(byUploadToken);
      delete asked['POST /api/v1/uploads'];
      expect(new Set(Object.values(asked))).toEqual(new Set([mode === 'iam' ? 'AWS_IAM' : byKey]));
      expect(Object.keys(asked)).toHaveLength(13);
    },
  );

  test('has no page for people where a page could not sign, nor the function behind it', async () => {
    const signed = await synthesizeStandIns({ auth: 'iam' });
    expect(routesOf(signed).map(([route]) => route)).not.toContain('GET ');
    expect(Object.values(signed.functions).map(({ name }) => name)).not.toContain('console');
  });

  test('takes the bytes of a form as they are, and the body of every other request as text', () => {
    expect(all('AWS::ApiGateway::RestApi')[0]!.properties.BinaryMediaTypes).toEqual(['multipart/form-data']);
  });

  test('passes requests on whole: no model stands before the functions, which explain a wrong body themselves', () => {
    for (const { properties } of all('AWS::ApiGateway::Method')) {
      expect(properties.Integration.Type).toBe('AWS_PROXY');
      expect(properties.RequestModels).toBeUndefined();
    }
  });

  test('remembers for a minute whose a key is, and of an upload nothing', () => {
    const authorizers = all('AWS::ApiGateway::Authorizer').map(({ properties }) => [
      properties.Type,
      properties.IdentitySource,
      properties.AuthorizerResultTtlInSeconds,
      /"ApiAuthorizeFunctionLive\w+"/.test(JSON.stringify(properties.AuthorizerUri)),
    ]);
    expect(authorizers.sort()).toEqual([
      ['REQUEST', 'method.request.header.Authorization', 60, true],
      ['REQUEST', 'method.request.querystring.upload_token', 0, true],
    ]);
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
      user_arn: '$context.identity.userArn',
    });
    expect(Object.values(line).filter((value) => !value.startsWith('$context.'))).toEqual([]);
  });
});

describe('a web ACL', () => {
  test('is there only when the configuration asks for one', () => {
    expect([...all('AWS::WAFv2::WebACL'), ...all('AWS::WAFv2::WebACLAssociation')]).toEqual([]);
  });

  test('stands before the stage, bars addresses that ask too often, counts, and lets the others through', async () => {
    const { template } = await synthesizeStandIns({ waf: { requestsPer5Minutes: 700 } });
    const [acl, ...others] = resourcesOf(template, 'AWS::WAFv2::WebACL');
    expect(others).toEqual([]);
    expect(acl!.properties).toMatchObject({
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      VisibilityConfig: { CloudWatchMetricsEnabled: true },
      Rules: [
        {
          Action: { Block: {} },
          Statement: { RateBasedStatement: { AggregateKeyType: 'IP', Limit: 700, EvaluationWindowSec: 300 } },
          VisibilityConfig: { CloudWatchMetricsEnabled: true },
        },
      ],
    });
    const [association] = resourcesOf(template, 'AWS::WAFv2::WebACLAssociation');
    const [stage] = resourcesOf(template, 'AWS::ApiGateway::Stage');
    expect(association!.properties.WebACLArn).toEqual({ 'Fn::GetAtt': [acl!.id, 'Arn'] });
    expect(flatten(association!.properties.ResourceArn)).toMatch(new RegExp(`/restapis/<\\w+>/stages/<${stage!.id}>$`));
    const refused = resourcesOf(template, 'AWS::ApiGateway::GatewayResponse').find(
      ({ properties }) => properties.ResponseType === 'WAF_FILTERED',
    )!;
    expect(refused.properties.StatusCode).toBe('429');
  });
});

describe('the gateway’s own answers', () => {
  const statuses: Record<string, number> = {
    ACCESS_DENIED: 403,
    MISSING_AUTHENTICATION_TOKEN: 404,
    // What an unknown route answers to a request with an Authorization header.
    INVALID_SIGNATURE: 404,
    EXPIRED_TOKEN: 404,
    WAF_FILTERED: 403,
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
    // What a request gets that a function's own concurrency turns away.
    ['INTEGRATION_FAILURE', 'Retry-After', "'1'"],
  ])('%s says in %s how to go on', (type, header, value) => {
    const found = all('AWS::ApiGateway::GatewayResponse').find(({ properties }) => properties.ResponseType === type)!;
    expect(found.properties.ResponseParameters).toEqual({ [`gatewayresponse.header.${header}`]: value });
  });

  const answersWith = async (context: Record<string, unknown>) => {
    const { template } = await synthesizeStandIns(context);
    return (type: string) => {
      const { properties } = resourcesOf(template, 'AWS::ApiGateway::GatewayResponse').find(
        (found) => found.properties.ResponseType === type,
      )!;
      return JSON.parse(properties.ResponseTemplates['application/json']) as { status: number; detail: string };
    };
  };

  test('say with signatures that a request must be signed, or that there is no such route', async () => {
    const answer = await answersWith({ auth: 'iam' });
    expect(answer('MISSING_AUTHENTICATION_TOKEN')).toMatchObject({
      status: 401,
      detail: expect.stringMatching(/Signature Version 4.*execute-api.*check method and path/),
    });
    for (const type of ['INVALID_SIGNATURE', 'EXPIRED_TOKEN']) expect(answer(type).status).toBe(401);
  });

  test('say with tokens that a token is asked for', async () => {
    const answer = await answersWith({ auth: 'jwt', jwt: { issuer: 'https://id.example', audience: 'a' } });
    expect(answer('UNAUTHORIZED')).toMatchObject({ status: 401, detail: expect.stringContaining('Bearer TOKEN') });
  });
});
