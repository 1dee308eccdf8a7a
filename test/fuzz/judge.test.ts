import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import document from '../../functions/api/openapi/document.ts';
import { type ContractDocument, readContract } from '../support/contract.ts';
import { differenceOf, namesForeignVideo } from './access.ts';
import { faultOf } from './judge.ts';
import { type FuzzRequest, requestsOf } from './requests.ts';
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

const asked = (request: Partial<FuzzRequest> = {}): FuzzRequest => ({
  route: getVideo,
  method: 'GET',
  path: '/videos/{id}',
  id: { kind: 'own', index: 0 },
  query: '',
  headers: [],
  credentials: 'own',
  body: undefined,
  ...request,
});
const judge = (status: number, type: string, body: unknown, request: Partial<FuzzRequest> = {}, headers = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = { status, headers: { 'content-type': type, etag: '"x"', ...headers }, body: text };
  return faultOf(contract, asked(request), answer, ['s3cr3t']);
};

const stray = { route: undefined, path: '/nowhere' };

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
    expect(judge(404, 'application/problem+json', problem, stray)).toBeUndefined();
    expect(judge(404, 'application/json', { message: 'Missing Authentication Token' }, stray)).toBeTruthy();
    expect(judge(404, 'text/html', '<h1>Not found</h1>', stray)).toBeTruthy();
  });
});

describe('the headers of an answer', () => {
  const content = { route: routeOf('GET', '/videos/{id}/content'), path: '/videos/{id}/content' };
  const notReady = {
    ...problem,
    status: 409,
    code: 'video_not_ready',
    detail: 'Ask after the seconds in Retry-After.',
  };

  test('that the contract says are always there must be', () => {
    expect(judge(302, '', '', content, { location: 'https://s3.example/x' })).toBeUndefined();
    expect(judge(302, '', '', content)).toBe('a 302 without Location');
    expect(judge(200, 'application/json', video, {}, { etag: undefined })).toBe('a 200 without ETag');
  });

  test('that an answer speaks of must be there', () => {
    expect(judge(409, 'application/problem+json', notReady, content, { 'retry-after': '3' })).toBeUndefined();
    expect(judge(409, 'application/problem+json', notReady, content)).toBe('a 409 that speaks of Retry-After');
    const over = { ...notReady, code: 'video_has_no_content', detail: 'It failed.' };
    expect(judge(409, 'application/problem+json', over, content)).toBeUndefined();
  });

  test.each([{ 'retry-after': 'soon' }, { 'retry-after': '' }, { etag: 'x' }, { etag: '' }])(
    'must be as the contract says: %j',
    (headers) => {
      expect(judge(200, 'application/json', video, {}, headers)).toMatch(/must match pattern/);
    },
  );

  test('tell no secret either, be they declared or not', () => {
    expect(judge(200, 'application/json', video, {}, { 'x-odd': 'a s3cr3t' })).toBe('it tells a secret');
    expect(judge(200, 'application/json', video, {}, { 'set-cookie': ['a', 's3cr3t'] })).toBe('it tells a secret');
    const page = { route: routeOf('GET', '/openapi.json'), path: '/openapi.json' };
    const policy = { 'content-security-policy': 'img-src http://s3cr3t' };
    expect(judge(200, 'application/json', { openapi: '3.1.0', paths: {} }, page, policy)).toBeUndefined();
    expect(judge(200, 'application/json', video, {}, policy)).toBe('it tells a secret');
    expect(judge(200, 'application/json', {}, page, { 'x-host': 'x.aliyuncs.com' })).toMatch(/aliyuncs/);
  });
});

describe('an answer to nobody whom the API knows', () => {
  const gateway = (status: number) => ({
    ...{ type: 'about:blank', title: 'No.', status, detail: 'No.', code: 'InvalidParameter', message: 'No.' },
    request_id: 'x',
  });

  test.each(['none', 'wrong', 'scheme', 'long'] as const)('is a 401 or of the gateway: %s', (credentials) => {
    const bearer = { 'www-authenticate': 'Bearer' };
    expect(judge(401, 'application/json', { ...gateway(401), code: 'InvalidApiKey' }, { credentials }, bearer)).toBe(
      undefined,
    );
    expect(judge(400, 'application/json', gateway(400), { credentials })).toBeUndefined();
    for (const [status, type, body] of [
      [200, 'application/json', video],
      [304, '', ''],
      [404, 'application/problem+json', problem],
    ] as const) {
      expect(judge(status, type, body, { credentials })).toBe(`a ${status} to nobody that the API knows`);
    }
  });

  test('is whatever it is where everybody may ask, or where both of two keys are good', () => {
    expect(judge(200, 'application/json', video, { credentials: 'twice' })).toBeUndefined();
    const health = { route: routeOf('GET', '/health'), path: '/health', credentials: 'none' as const };
    expect(judge(200, 'application/json', { status: 'ok' }, health)).toBeUndefined();
  });

  test('is one where a key does not stand for the token of an upload', () => {
    const upload = { route: routeOf('POST', '/api/v1/uploads'), path: '/api/v1/uploads', method: 'POST' };
    expect(judge(200, 'application/json', { request_id: 'x' }, upload)).toBe('a 200 to nobody that the API knows');
  });
});

describe('an answer about a video that is not there for the one who asks', () => {
  const foreign = [
    { id: { kind: 'other', index: 0 } },
    { id: { kind: 'own', index: 0 }, credentials: 'other' },
  ] as const satisfies Partial<FuzzRequest>[];
  const none = [{ id: { kind: 'never', index: 0 } }, { id: { kind: 'text', text: 'x' } }] as const;

  test.each([...foreign, ...none])('says no more than that: %j', (request) => {
    expect(judge(404, 'application/problem+json', problem, request)).toBeUndefined();
    expect(judge(200, 'application/json', video, request)).toMatch(/^a 200 about a video that is not there/);
    const ended = { ...problem, status: 409, code: 'video_has_ended' };
    const cancel = { ...request, route: routeOf('POST', '/videos/{id}/cancel'), path: '/videos/{id}/cancel' };
    expect(judge(409, 'application/problem+json', ended, cancel)).toMatch(/^a 409 about a video/);
    const remove = { ...request, route: routeOf('DELETE', '/videos/{id}'), method: 'DELETE' };
    expect(judge(204, '', '', remove)).toMatch(/^a 204 about a video/);
  });

  test('may be that its status is unknown, by the protocol that has such a status', () => {
    const query = { route: routeOf('GET', '/api/v1/tasks/{task_id}'), path: '/api/v1/tasks/{task_id}', ...foreign[0] };
    const task = (task_status: string) => ({ request_id: 'x', output: { task_id: 'x', task_status } });
    expect(judge(200, 'application/json', task('UNKNOWN'), query)).toBeUndefined();
    expect(judge(200, 'application/json', task('SUCCEEDED'), query)).toMatch(/^a 200 about a video/);
  });

  test('is asked for again with an id that never was, where the video is another owner’s', () => {
    expect(foreign.map((request) => namesForeignVideo(asked(request)))).toEqual([true, true]);
    expect(none.map((request) => namesForeignVideo(asked(request)))).toEqual([false, false]);
    expect(namesForeignVideo(asked({ id: { kind: 'other', index: 0 }, credentials: 'other' }))).toBe(false);
    expect(namesForeignVideo(asked({ id: { kind: 'other', index: 0 }, credentials: 'none' }))).toBe(false);
  });

  test('differs from the answer to an id that never was in ids alone', () => {
    const id = '6d1f7c5e-9b0a-4f57-8d0e-2f3c5a7b9d11';
    const answer = {
      status: 404,
      headers: { date: 'now', 'x-amzn-requestid': '1', vary: 'Accept' },
      body: `{"${id}"}`,
    };
    const other = { ...answer, headers: { ...answer.headers, date: 'then' }, body: answer.body.replace('6', '7') };
    expect(differenceOf(answer, other)).toBeUndefined();
    expect(differenceOf(answer, { ...other, status: 409 })).toBe('status');
    expect(differenceOf(answer, { ...other, body: 'It is running.' })).toBe('body');
    expect(differenceOf(answer, { ...other, headers: { etag: '"x"' } })).toBe('vary, etag');
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
