import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SwaggerParser from '@apidevtools/swagger-parser';
import { describe, expect, test } from 'vitest';
import document from '../../../../functions/api/openapi/document.ts';
import { problemCodes } from '../../../../functions/api/openapi/problem-codes.ts';
import { withInput } from '../../../../functions/api/videos/estimates.ts';
import { failureCodes } from '../../../../functions/wan/failures.ts';
import { checkRequest } from '../../../../functions/wan/validation/request.ts';
import { projectRoot } from '../../../../infra/synth/bundle.ts';
import { type ContractDocument, readContract } from '../../../support/contract.ts';
import { aDeployment } from '../../../support/videos.ts';

/** The document as served, without values that JSON cannot hold. */
const text = JSON.stringify(document);
const served = JSON.parse(text) as ContractDocument;
const contract = readContract(served);
const { routes } = contract;
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

describe('the contract', () => {
  test('is valid OpenAPI 3.1', async () => {
    await SwaggerParser.validate(JSON.parse(text));
    expect(document.openapi).toBe('3.1.0');
  });

  test('has schemas that are valid JSON Schema', () => {
    for (const [name, schema] of Object.entries(served.components.schemas)) {
      expect(contract.faultOf(schema, Symbol.for(name)), name).toBeTruthy();
    }
  });

  test('describes every operation', () => {
    for (const route of routes) {
      const { summary, description, tags } = route as unknown as Record<string, string>;
      expect(summary, nameOf(route)).toMatch(/^[A-Z].*[^.]$/);
      expect(description, nameOf(route)).toMatch(/^[A-Z`].*[.`:]/s);
      expect(tags).toHaveLength(1);
    }
    expect(new Set(routes.map(({ operationId }) => operationId)).size).toBe(routes.length);
  });

  test('explains every failure code of a video', () => {
    for (const code of failureCodes) {
      expect(served.components.schemas.VideoError.description).toContain(`| \`${code}\` |`);
    }
  });
});

describe('examples', () => {
  test.each(routes.map((route) => [nameOf(route), route] as const))('of %s fit their schemas', (_, route) => {
    const { parameters = [], requestBody, responses } = route;
    for (const { name, schema, example } of parameters) {
      if (example !== undefined) expect(contract.faultOf(schema, example), name).toBeUndefined();
    }
    const contents = [requestBody, ...Object.values(responses)].flatMap((part) => Object.values(part?.content ?? {}));
    for (const { schema, examples = {} } of contents) {
      for (const [name, { value }] of Object.entries(examples)) {
        expect(contract.faultOf(schema, value), name).toBeUndefined();
      }
    }
  });

  test('exist for every JSON body of requests and responses', () => {
    const bare = routes.flatMap((route) =>
      Object.entries({ body: route.requestBody, ...route.responses }).flatMap(([name, part]) =>
        Object.entries(part?.content ?? {})
          .filter(([type, { examples }]) => type.includes('json') && !examples)
          .map(() => `${nameOf(route)} ${name}`),
      ),
    );
    expect(bare).toEqual(['GET /openapi.json 200']);
  });

  test.each([
    ['/videos', 'strict'],
    ['/estimates', 'strict'],
    ['/api/v1/services/aigc/video-generation/video-synthesis', 'tolerant'],
  ] as const)('of requests to %s are accepted without a warning', (path, mode) => {
    const { examples = {} } = served.paths[path]!.post!.requestBody!.content['application/json']!;
    expect(Object.keys(examples).length).toBeGreaterThan(0);
    for (const { value } of Object.values(examples)) {
      const body = path === '/estimates' ? withInput(value) : value;
      const checked = checkRequest(body, { mode, trustedOrigins: [], deployment: aDeployment() });
      expect(checked).toMatchObject({ ok: true, warnings: [] });
    }
  });
});

/** Whether a code is sent before a request reaches its handler. */
const isOfGateway = (code: string) => problemCodes[code as keyof typeof problemCodes].gateway === true;

describe('problems', () => {
  const functions = join(projectRoot, 'functions');
  const files = readdirSync(functions, { encoding: 'utf8', recursive: true })
    .filter((file) =>
      /^(api\/(http|auth|videos|pages)\/.*|submissions\/.*|shared\/(json-body|problem))\.ts$/.test(file),
    )
    .map((file) => ({ file, text: readFileSync(join(functions, file), 'utf8') }));
  /** Codes of single issues and warnings, which are part of a problem or a video. */
  const issueCodes = [
    'unknown_parameter',
    'repeated_parameter',
    'invalid_value',
    'wrong_type',
    'out_of_range',
    'not_offered',
    'may_be_billed_twice',
    'missing',
    'given_twice',
    'cannot_continue',
    'video_duration',
    'unsupported_duration',
    'source_billed_again',
    'not_inherited',
  ];
  const thrown = files.flatMap(({ file, text }) =>
    [...text.matchAll(/\bcode: '([a-z_]+)'/g), ...text.matchAll(/issuesProblem\(\s*'([a-z_]+)'/g)].map(([, code]) => ({
      file,
      code: code!,
    })),
  );

  test('thrown by the handlers are all documented', () => {
    const undocumented = thrown.filter(({ code }) => !Object.hasOwn(problemCodes, code) && !issueCodes.includes(code));
    expect(undocumented).toEqual([]);
  });

  test('documented are all thrown, with their status', () => {
    const codes = new Set(thrown.map(({ code }) => code));
    // The code of an issue, which becomes the code of the problem.
    const named = Object.keys(problemCodes).filter(
      (code) => !isOfGateway(code) && !['image_too_large', 'audio_too_large'].includes(code),
    );
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
    const withStatus = files.flatMap(({ text }) => [
      ...text.matchAll(/new ProblemError\(\s*(\d{3}),\s*\{\s*code: '(\w+)'/g),
    ]);
    expect(withStatus.length).toBeGreaterThan(10);
    for (const [, status, code] of withStatus) {
      expect({ code, status: Number(status) }).toEqual({
        code,
        status: problemCodes[code as keyof typeof problemCodes].status,
      });
    }
  });

  test('belong to at least one route each', () => {
    const declared = new Set(
      routes.flatMap(({ responses }) =>
        Object.values(responses).flatMap(({ content }) =>
          Object.keys(content?.['application/problem+json']?.examples ?? {}),
        ),
      ),
    );
    expect([...declared].sort()).toEqual(
      Object.keys(problemCodes)
        .filter((code) => !isOfGateway(code))
        .sort(),
    );
  });
});
