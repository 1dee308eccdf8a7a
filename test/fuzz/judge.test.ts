import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import document from '../../functions/api/openapi/document.ts';
import { type ContractDocument, readContract } from '../support/contract.ts';
import { faultOf } from './judge.ts';
import { requestsOf } from './requests.ts';
import { valuesOf } from './schema-values.ts';

const contract = readContract(JSON.parse(JSON.stringify(document)) as ContractDocument);
const routeOf = (method: string, path: string) =>
  contract.routes.find((route) => route.method === method && route.path === path)!;
const getVideo = routeOf('GET', '/videos/{id}');
const { value: video } = getVideo.responses[200]!.content!['application/json']!.examples!.succeeded!;
const problem = {
  type: 'about:blank',
  status: 404,
  code: 'video_not_found',
  title: 'There is no such video.',
  detail: 'Check the id.',
};

const judge = (status: number, type: string, body: unknown, route: typeof getVideo | undefined = getVideo) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return faultOf(contract, route, 'GET', { status, headers: { 'content-type': type }, body: text }, ['s3cr3t']);
};

describe('an answer', () => {
  test.each([
    ['a video', 200, 'application/json', video],
    ['a declared problem', 404, 'application/problem+json', problem],
    ['nothing, where nothing belongs', 304, '', ''],
  ])('that the contract allows is right: %s', (_, status, type, body) => {
    expect(judge(status, type, body)).toBeUndefined();
  });

  test.each([
    ['a field that leaks', 200, 'application/json', { ...(video as object), request_hash: 'x' }],
    ['a field of another type', 200, 'application/json', { ...(video as object), progress: '50' }],
    ['a field that is missing', 200, 'application/json', { ...(video as object), timeline: undefined }],
    ['a status that is not declared', 418, 'application/json', {}],
    ['another content type', 200, 'text/html', '<p>'],
    ['a body that is no JSON', 200, 'application/json', '{'],
    ["another route's problem", 404, 'application/problem+json', { ...problem, code: 'video_has_ended' }],
    ['a body where none belongs', 304, 'application/json', '{}'],
    ['an error of ours', 500, 'application/problem+json', { ...problem, status: 500, code: 'internal_error' }],
    ['a stack trace', 404, 'application/problem+json', { ...problem, detail: '\n    at x (/var/task/index.js:1:2)' }],
    ['a secret', 404, 'application/problem+json', { ...problem, detail: 'The key is s3cr3t.' }],
    ["Wan's host", 404, 'application/problem+json', { ...problem, detail: 'https://dashscope-intl.aliyuncs.com' }],
  ])('that the contract does not allow is a fault: %s', (_, status, type, body) => {
    expect(judge(status, type, body)).toBeTruthy();
  });

  test('to a path that belongs to no operation must be one of the ways to say no', () => {
    expect(judge(404, 'application/problem+json', problem, undefined)).toBeUndefined();
    expect(judge(404, 'application/json', { message: 'Missing Authentication Token' }, undefined)).toBeTruthy();
    expect(judge(404, 'text/html', '<h1>Not found</h1>', undefined)).toBeTruthy();
  });
});

describe('requests', () => {
  test('are the same for the same seed', () => {
    const some = () => fc.sample(requestsOf(contract), { seed: 7, numRuns: 50 });
    expect(isDeepStrictEqual(some(), some())).toBe(true);
    expect(isDeepStrictEqual(some(), fc.sample(requestsOf(contract), { seed: 8, numRuns: 50 }))).toBe(false);
  });

  test('mean every operation', () => {
    const meant = fc.sample(requestsOf(contract), { seed: 7, numRuns: 400 }).map(({ route }) => route?.operationId);
    expect(new Set(meant)).toEqual(new Set([undefined, ...contract.routes.map(({ operationId }) => operationId)]));
  });

  test('come from values that fit their schemas', () => {
    const { schema } = routeOf('POST', '/videos').requestBody!.content['application/json']!;
    for (const body of fc.sample(valuesOf(contract, schema, {}), { seed: 7, numRuns: 200 })) {
      expect(contract.faultOf(schema, body)).toBeUndefined();
    }
  });
});
