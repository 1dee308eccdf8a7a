import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import { beforeAll, describe, expect, test } from 'vitest';
import { problemCodes } from '../../../functions/api/openapi/problem-codes.ts';
import type { Synthesis } from '../../../infra/synth/synthesize.ts';
import { type Found, flatten, resourcesOf, synthesizeStandIns } from '../support.ts';

/** The three ways in which callers authenticate. */
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

/** Returns the path of an AWS::ApiGateway::Resource by its parents. */
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

/** Returns each route with its function and authorization: the type, and the authorizer's identity source. */
const routesOf = (synthesized: Synthesis): [route: string, name: string, authorization: string][] =>
  resourcesOf(synthesized.template, 'AWS::ApiGateway::Method').map(
    ({ properties: { HttpMethod, ResourceId, Integration, AuthorizationType, AuthorizerId } }) => {
      const authorizer = AuthorizerId && synthesized.template.Resources[AuthorizerId.Ref]!.Properties!;
      return [
        `${HttpMethod} ${pathOf(synthesized, ResourceId)}`,
        functionBehind(synthesized, Integration.Uri),
        [AuthorizationType, ...(authorizer ? [authorizer.IdentitySource] : [])].join(' '),
      ];
    },
  );

const byKey = 'CUSTOM method.request.header.Authorization';
const byUploadToken = 'CUSTOM method.request.querystring.upload_token';

describe('the API', () => {
  test('has the routes of the design, each with its function and authorization', () => {
    const reads = [
      ['', 'console', 'NONE'],
      ['/health', 'health', 'NONE'],
      ['/openapi.json', 'contract', 'NONE'],
      ['/docs', 'contract', 'NONE'],
      ['/models', 'catalogue', byKey],
      ['/models/{name}/schema', 'catalogue', byKey],
      ['/usage', 'videos', byKey],
      ['/webhook', 'webhooks', byKey],
      ['/videos/{id}/deliveries', 'webhooks', byKey],
      ['/videos', 'videos', byKey],
      ['/videos/{id}', 'videos', byKey],
      ['/videos/{id}/content', 'videos', byKey],
      ['/api/v1/files/{file}', 'dashscope', 'NONE'],
    ].flatMap(([path, ...rest]) => ['GET', 'HEAD'].map((method) => [`${method} ${path}`, ...rest]));
    const others = [
      ...[
        '',
        '/health',
        '/openapi.json',
        '/docs',
        '/models',
        '/models/{name}/schema',
        '/usage',
        '/estimates',
        '/uploads',
      ],
      ...[
        '/videos',
        '/videos/{id}',
        '/videos/{id}/content',
        '/videos/{id}/cancel',
        '/videos/{id}/retry',
        '/videos/{id}/extend',
        '/videos/{id}/variations',
        '/videos/{id}/deliveries',
        '/videos/{id}/deliveries/{sequence}/redeliver',
        ...['/webhook', '/webhook/secret', '/webhook/test'],
        '/api/v1/files/{file}',
      ],
    ].map((path) => [`ANY ${path}`, 'contract', 'NONE']);
    expect(routesOf(synthesis).sort()).toEqual(
      [
        ...reads,
        ...others,
        ['POST /estimates', 'catalogue', byKey],
        ['POST /uploads', 'uploads', byKey],
        ['POST /videos', 'submit', byKey],
        ['POST /videos/{id}/cancel', 'actions', byKey],
        ['POST /videos/{id}/retry', 'actions', byKey],
        ['POST /videos/{id}/extend', 'submit', byKey],
        ['POST /videos/{id}/variations', 'submit', byKey],
        ['DELETE /videos/{id}', 'actions', byKey],
        ['PUT /webhook', 'webhooks', byKey],
        ['DELETE /webhook', 'webhooks', byKey],
        ['POST /webhook/secret', 'webhooks', byKey],
        ['POST /webhook/test', 'webhooks', byKey],
        ['POST /videos/{id}/deliveries/{sequence}/redeliver', 'webhooks', byKey],
        ['ANY /api/v1/{proxy+}', 'dashscope', byKey],
        ['OPTIONS /api/v1/{proxy+}', 'dashscope', 'NONE'],
        ['ANY /api/v1/uploads', 'dashscope', byKey],
        ['OPTIONS /api/v1/uploads', 'dashscope', 'NONE'],
        ['POST /api/v1/uploads', 'dashscope', byUploadToken],
      ].sort(),
    );
  });

  test('stays far below the 500 resources of a stack', async () => {
    const settings = { waf: { requestsPer5Minutes: 700 }, apiConcurrency: 10, alarmEmail: 'operator@example.com' };
    const { template } = await synthesizeStandIns(settings);
    expect(Object.keys(template.Resources).length).toBeLessThan(400);
  });

  test.each(modes)(
    'is open with %s only where it returns the same to everyone or the path has a token',
    async (_, context) => {
      const open = ['', '/health', '/openapi.json', '/docs', '/api/v1/files/{file}'].flatMap((path) => [
        `GET ${path}`,
        `HEAD ${path}`,
      ]);
      for (const [route, name, authorization] of routesOf(await synthesizeStandIns(context))) {
        // Answers unknown methods and OPTIONS.
        if (open.includes(route) || /^OPTIONS /.test(route) || (name === 'contract' && /^ANY /.test(route))) continue;
        expect([route, authorization]).toEqual([route, expect.stringMatching(/^(CUSTOM .+|AWS_IAM)$/)]);
      }
    },
  );

  test.each(modes)(
    'has one authorization with %s on all other routes except the upload of a form',
    async (mode, context) => {
      const routes = routesOf(await synthesizeStandIns(context));
      const authorizations = Object.fromEntries(
        routes.filter(([, , type]) => type !== 'NONE').map(([route, , type]) => [route, type]),
      );
      expect(authorizations['POST /api/v1/uploads']).toBe(byUploadToken);
      delete authorizations['POST /api/v1/uploads'];
      expect(new Set(Object.values(authorizations))).toEqual(new Set([mode === 'iam' ? 'AWS_IAM' : byKey]));
      expect(Object.keys(authorizations)).toHaveLength(31);
    },
  );

  test('has no console and no function for it with IAM, since a page cannot sign requests', async () => {
    const signed = await synthesizeStandIns({ auth: 'iam' });
    expect(routesOf(signed).filter(([route]) => route.endsWith(' '))).toEqual([]);
    expect(Object.values(signed.functions).map(({ name }) => name)).not.toContain('console');
  });

  test('accepts a form as bytes, and the body of every other request as text', () => {
    expect(all('AWS::ApiGateway::RestApi')[0]!.properties.BinaryMediaTypes).toEqual(['multipart/form-data']);
  });

  test('passes whole requests to the functions without a model, since the functions validate bodies', () => {
    for (const { properties } of all('AWS::ApiGateway::Method')) {
      expect(properties.Integration.Type).toBe('AWS_PROXY');
      expect(properties.RequestModels).toBeUndefined();
    }
  });

  test('caches the authorization of a key for a minute, and that of an upload token not at all', () => {
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

  test('is regional, throttled and traced, and logs each request without secrets', async () => {
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
      extended_request_id: '$context.extendedRequestId',
      status: '$context.status',
      owner: '$context.authorizer.owner',
      user_arn: '$context.identity.userArn',
    });
    expect(Object.values(line).filter((value) => !value.startsWith('$context.'))).toEqual([]);
    // The path of a link to a file contains its token.
    expect(Object.values(line).filter((value) => /path|header|query|body/i.test(value))).toEqual([
      '$context.resourcePath',
    ]);
  });
});

test('the stage has no metrics by method, which are billed as custom metrics', () => {
  const [stage] = all('AWS::ApiGateway::Stage');
  expect(stage!.properties.MethodSettings).toMatchObject([{ MetricsEnabled: false }]);
});

test('execution errors go to a log group with retention, which exists before the stage that would create it', () => {
  const [stage] = all('AWS::ApiGateway::Stage');
  const group = all('AWS::Logs::LogGroup').find(
    ({ properties: { LogGroupName } }) => LogGroupName && flatten(LogGroupName).startsWith('API-Gateway'),
  )!;
  expect(flatten(group.properties.LogGroupName)).toBe('API-Gateway-Execution-Logs_<RestApi>/v1');
  expect(group.resource).toMatchObject({ DeletionPolicy: 'Delete', Properties: { RetentionInDays: 30 } });
  expect(stage!.resource.DependsOn).toContain(group.id);
});

describe('a web ACL', () => {
  test('exists only if it is configured', () => {
    expect([...all('AWS::WAFv2::WebACL'), ...all('AWS::WAFv2::WebACLAssociation')]).toEqual([]);
  });

  test('protects the stage: blocks addresses that exceed the limit, records metrics, and allows other requests', async () => {
    const { template } = await synthesizeStandIns({ waf: { requestsPer5Minutes: 700 } });
    const [acl, ...others] = resourcesOf(template, 'AWS::WAFv2::WebACL');
    expect(others).toEqual([]);
    expect(acl!.properties).toMatchObject({
      Scope: 'REGIONAL',
      DefaultAction: { Allow: {} },
      VisibilityConfig: { CloudWatchMetricsEnabled: true, SampledRequestsEnabled: false },
      Rules: [
        {
          Action: { Block: {} },
          Statement: { RateBasedStatement: { AggregateKeyType: 'IP', Limit: 700, EvaluationWindowSec: 300 } },
          VisibilityConfig: { CloudWatchMetricsEnabled: true, SampledRequestsEnabled: false },
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

describe('the gateway’s own responses', () => {
  const statuses: Record<string, number> = {
    ACCESS_DENIED: 403,
    MISSING_AUTHENTICATION_TOKEN: 404,
    // The response of an unknown route to a request with an Authorization header.
    INVALID_SIGNATURE: 404,
    EXPIRED_TOKEN: 404,
    WAF_FILTERED: 403,
    RESOURCE_NOT_FOUND: 404,
    REQUEST_TOO_LARGE: 413,
    THROTTLED: 429,
    UNSUPPORTED_MEDIA_TYPE: 415,
    UNAUTHORIZED: 401,
    AUTHORIZER_FAILURE: 500,
    INTEGRATION_FAILURE: 502,
    INTEGRATION_TIMEOUT: 504,
    DEFAULT_4XX: 400,
    DEFAULT_5XX: 500,
  };

  test('are shaped for every response type', () => {
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

  test('are JSON for both protocols, and contain no text of the caller', () => {
    for (const { properties } of all('AWS::ApiGateway::GatewayResponse')) {
      expect(Object.keys(properties.ResponseTemplates)).toEqual(['application/json']);
      const template = properties.ResponseTemplates['application/json'] as string;
      expect(template.match(/\$[\w.]+/g)).toEqual(['$context.requestId']);
      const body = JSON.parse(template.replace('$context.requestId', 'c0ffee'));
      expect(body).toEqual({
        type: `urn:firstframe:problem:${body.code}`,
        title: expect.stringMatching(/\.$/),
        status: Number(properties.StatusCode),
        detail: expect.stringMatching(/\.$/),
        code: expect.toSatisfy((code: string) => Object.hasOwn(problemCodes, code)),
        message: `${body.title} ${body.detail}`,
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
    ['UNSUPPORTED_MEDIA_TYPE', 'Accept-Encoding', "'gzip, deflate, identity'"],
    // The response when a function exceeds its reserved concurrency.
    ['INTEGRATION_FAILURE', 'Retry-After', "'1'"],
    ['AUTHORIZER_FAILURE', 'Retry-After', "'1'"],
  ])('%s has the header %s', (type, header, value) => {
    const found = all('AWS::ApiGateway::GatewayResponse').find(({ properties }) => properties.ResponseType === type)!;
    expect(found.properties.ResponseParameters).toEqual({ [`gatewayresponse.header.${header}`]: value });
  });

  const responsesWith = async (context: Record<string, unknown>) => {
    const { template } = await synthesizeStandIns(context);
    return (type: string) => {
      const { properties } = resourcesOf(template, 'AWS::ApiGateway::GatewayResponse').find(
        (found) => found.properties.ResponseType === type,
      )!;
      return JSON.parse(properties.ResponseTemplates['application/json']) as { status: number; detail: string };
    };
  };

  test.each([
    [['https://app.example'], "'https://app.example'"],
    [['https://app.example', 'https://b.example'], "'*'"],
    [['*'], "'*'"],
    [[], undefined],
  ])('with the origins %j all allow %s', async (cors, allowed) => {
    const { template } = await synthesizeStandIns({ cors });
    for (const { properties } of resourcesOf(template, 'AWS::ApiGateway::GatewayResponse')) {
      expect(properties.ResponseParameters?.['gatewayresponse.header.Access-Control-Allow-Origin']).toBe(allowed);
    }
  });

  test('ask for a signature with IAM, or to check the route', async () => {
    const response = await responsesWith({ auth: 'iam' });
    expect(response('MISSING_AUTHENTICATION_TOKEN')).toMatchObject({
      status: 401,
      detail: expect.stringMatching(/Signature Version 4.*execute-api.*check method and path/),
    });
    for (const type of ['INVALID_SIGNATURE', 'EXPIRED_TOKEN']) expect(response(type).status).toBe(401);
  });

  test('ask for a token with JWT', async () => {
    const response = await responsesWith({ auth: 'jwt', jwt: { issuer: 'https://id.example', audience: 'a' } });
    expect(response('UNAUTHORIZED')).toMatchObject({ status: 401, detail: expect.stringContaining('Bearer TOKEN') });
  });
});
