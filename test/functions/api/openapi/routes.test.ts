import { beforeAll, describe, expect, test } from 'vitest';
import document, { operations } from '../../../../functions/api/openapi/document.ts';
import { gatewayProblemSchema } from '../../../../functions/api/openapi/gateway.ts';
import { contentQuery } from '../../../../functions/api/videos/content.ts';
import { videoQuery } from '../../../../functions/api/videos/get.ts';
import { listQuery } from '../../../../functions/api/videos/list.ts';
import type { Synthesis } from '../../../../infra/synth/synthesize.ts';
import { flatten, resourcesOf, synthesizeStandIns } from '../../../infra/support.ts';
import { type ContractDocument, readContract } from '../../../support/contract.ts';

let synthesis: Synthesis;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
});
const { routes, faultOf } = readContract(JSON.parse(JSON.stringify(document)) as ContractDocument);

/** Returns the path of an AWS::ApiGateway::Resource. */
function pathOf(resource: unknown): string {
  const id = flatten(resource);
  if (id.endsWith('.RootResourceId>')) return '';
  const { ParentId, PathPart } = synthesis.template.Resources[id.slice(1, -1)]!.Properties as {
    ParentId: unknown;
    PathPart: string;
  };
  return `${pathOf(ParentId)}/${PathPart}`;
}

interface DeployedRoute {
  method: string;
  path: string;
  authorization: string;
  /** The identity source of the authorizer. */
  identity: string | undefined;
}

function deployed(): DeployedRoute[] {
  return resourcesOf(synthesis.template, 'AWS::ApiGateway::Method').map(({ properties }) => ({
    method: properties.HttpMethod,
    path: pathOf(properties.ResourceId) || '/',
    authorization: properties.AuthorizationType,
    identity:
      properties.AuthorizerId && synthesis.template.Resources[properties.AuthorizerId.Ref]!.Properties!.IdentitySource,
  }));
}

/** The DashScope routes are one deployed proxy route. */
const isProxied = (path: string): boolean => /^\/api\/v1\/(?!(?:uploads|files\/\{file\})$)/.test(path);

describe('the contract and the deployed API', () => {
  test('have the same routes and methods', () => {
    const names = (of: readonly { method: string; path: string }[]) =>
      of
        .filter(({ path }) => !isProxied(path))
        .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
        .sort();
    const listed = names(deployed().filter(({ method }) => method !== 'OPTIONS' && method !== 'ANY'));
    // Every GET has a HEAD. The form's GET is part of an ANY.
    const heads = routes.filter(({ method, path }) => method === 'GET' && path !== '/api/v1/uploads');
    const expected = [
      ...routes.filter((route) => !isProxied(route.path)),
      ...heads.map((route) => ({ ...route, method: 'HEAD' })),
    ];
    expect(listed).toEqual(names(expected).filter((name) => name !== 'GET /api/v1/uploads'));
    // Every other method has an answer, too.
    const paths = [...new Set(deployed().map(({ path }) => path))];
    const withAny = deployed().filter(({ method }) => method === 'ANY');
    expect(withAny.map(({ path }) => path).sort()).toEqual(paths.sort());
    for (const { path, authorization } of withAny)
      expect([path, authorization]).toEqual([path, /^\/api\/v1\/(?!files)/.test(path) ? 'CUSTOM' : 'NONE']);
  });

  test('authorize the same callers', () => {
    const kinds: Record<string, string> = {
      caller: 'CUSTOM method.request.header.Authorization',
      'upload token': 'CUSTOM method.request.querystring.upload_token',
      public: 'NONE undefined',
    };
    for (const { method, path, authorization, identity } of deployed()) {
      const operation = operations.find((one) => one.method === method.toLowerCase() && one.path === path);
      if (operation) expect(`${authorization} ${identity}`, `${method} ${path}`).toBe(kinds[operation.access]);
    }
    expect(operations.filter(({ path, access }) => isProxied(path) && access !== 'caller')).toEqual([]);
  });
});

describe("the gateway's own responses", () => {
  const gateway = () =>
    resourcesOf(synthesis.template, 'AWS::ApiGateway::GatewayResponse').map(({ properties }) => ({
      type: properties.ResponseType as string,
      status: Number(properties.StatusCode),
      headers: Object.keys(properties.ResponseParameters ?? {}).map((name) => name.split('.').at(-1)!.toLowerCase()),
      body: JSON.parse(properties.ResponseTemplates['application/json']) as unknown,
    }));
  test('match the schema of the contract', () => {
    for (const { type, body } of gateway()) {
      expect(gatewayProblemSchema.safeParse(body).error?.message, type).toBeUndefined();
    }
  });

  test('are documented with their headers on the routes that can return them', () => {
    const all = routes.find(({ path, method }) => path === '/videos/{id}/cancel' && method === 'POST')!;
    for (const { type, status, headers } of gateway()) {
      const declared = all.responses[status];
      expect(declared?.content?.['application/json']?.schema, `${type} ${status}`).toEqual({
        $ref: '#/components/schemas/GatewayProblem',
      });
      expect(Object.keys(declared?.headers ?? {}).map((name) => name.toLowerCase())).toEqual(
        expect.arrayContaining(headers),
      );
    }
  });
});

describe('a query parameter whose documented schema differs from its validation', () => {
  test.each([
    ['/videos', 'limit', listQuery, ['0', '1', '2', '10', '99', '100', '101', '1000']],
    ['/videos/{id}', 'wait', videoQuery, ['0', '1', '9', '25', '26', '99', '100']],
    ['/videos/{id}/content', 'variant', contentQuery, ['video', 'first_frame', 'metadata', 'gif', '1']],
  ] as const)('%s: %s accepts the same values', (path, name, query, texts) => {
    const route = routes.find((candidate) => candidate.path === path && candidate.method === 'GET')!;
    const { schema } = route.parameters!.find((parameter) => parameter.name === name)!;
    for (const text of texts) {
      const value = schema.type === 'integer' ? Number(text) : text;
      expect(faultOf(schema, value) === undefined, text).toBe(query.safeParse({ [name]: text }).success);
    }
    expect(query.shape).toHaveProperty(name);
    const shown = (query.parse({}) as Record<string, unknown>)[name];
    expect(schema.default).toEqual(shown);
  });
});
