import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import document from '../../functions/api/openapi/document.ts';
import { type ContractDocument, readContract } from '../support/contract.ts';
import { differenceOf, namesForeignVideo } from './access.ts';
import { faultOf } from './check-response.ts';
import { type FuzzRequest, requestsOf } from './requests.ts';
import { valuesOf } from './schema-values.ts';

const contract = readContract(JSON.parse(JSON.stringify(document)) as ContractDocument);
const routeOf = (method: string, path: string) =>
  contract.routes.find((route) => route.method === method && route.path === path)!;
const getVideo = routeOf('GET', '/videos/{id}');
const { value: video } = getVideo.responses[200]!.content!['application/json']!.examples!.succeeded!;
const problem = {
  type: 'urn:firstframe:problem:video_not_found',
  status: 404,
  code: 'video_not_found',
  title: 'There is no such video.',
  detail: 'Check the id.',
};

const requestWith = (request: Partial<FuzzRequest> = {}): FuzzRequest => ({
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
const check = (status: number, type: string, body: unknown, request: Partial<FuzzRequest> = {}, headers = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = { status, headers: { 'content-type': type, etag: '"x"', ...headers }, body: text };
  return faultOf(contract, requestWith(request), response, ['s3cr3t']);
};

const stray = { route: undefined, path: '/nowhere' };

describe('a response', () => {
  test.each([
    ['a video', 200, 'application/json', video],
    ['a declared problem', 404, 'application/problem+json', problem],
    ['a declared empty body', 304, '', ''],
  ])('that the contract allows passes: %s', (_, status, type, body) => {
    expect(check(status, type, body)).toBeUndefined();
  });

  test.each([
    ['an internal field', 200, 'application/json', { ...(video as object), request_hash: 'x' }],
    ['a field of another type', 200, 'application/json', { ...(video as object), progress: '50' }],
    ['a missing field', 200, 'application/json', { ...(video as object), timeline: undefined }],
    ['an undeclared status', 418, 'application/json', {}],
    ['another content type', 200, 'text/html', '<p>'],
    ['a body that is not JSON', 200, 'application/json', '{'],
    ["another route's problem", 404, 'application/problem+json', { ...problem, code: 'video_has_ended' }],
    ['an undeclared body', 304, 'application/json', '{}'],
    ['an internal error', 500, 'application/problem+json', { ...problem, status: 500, code: 'internal_error' }],
    ['a stack trace', 404, 'application/problem+json', { ...problem, detail: '\n    at x (/var/task/index.js:1:2)' }],
    ['a secret', 404, 'application/problem+json', { ...problem, detail: 'The key is s3cr3t.' }],
    ["Wan's host", 404, 'application/problem+json', { ...problem, detail: 'https://dashscope-intl.aliyuncs.com' }],
  ])('that the contract does not allow is a fault: %s', (_, status, type, body) => {
    expect(check(status, type, body)).toBeTruthy();
  });

  test('to a path without an operation must be a declared error', () => {
    expect(check(404, 'application/problem+json', problem, stray)).toBeUndefined();
    expect(check(404, 'application/json', { message: 'Missing Authentication Token' }, stray)).toBeTruthy();
    expect(check(404, 'text/html', '<h1>Not found</h1>', stray)).toBeTruthy();
  });
});

describe('the headers of a response', () => {
  const content = { route: routeOf('GET', '/videos/{id}/content'), path: '/videos/{id}/content' };
  const notReady = {
    ...problem,
    status: 409,
    code: 'video_not_ready',
    detail: 'Ask after the seconds in Retry-After.',
  };

  test('must include those that the contract requires', () => {
    expect(check(302, '', '', content, { location: 'https://s3.example/x' })).toBeUndefined();
    expect(check(302, '', '', content)).toBe('a 302 without Location');
    expect(check(200, 'application/json', video, {}, { etag: undefined })).toBe('a 200 without ETag');
  });

  test('must include those that the body mentions', () => {
    expect(check(409, 'application/problem+json', notReady, content, { 'retry-after': '3' })).toBeUndefined();
    expect(check(409, 'application/problem+json', notReady, content)).toBe('a 409 that mentions Retry-After');
    const over = { ...notReady, code: 'video_has_no_content', detail: 'It failed.' };
    expect(check(409, 'application/problem+json', over, content)).toBeUndefined();
  });

  test.each([{ 'retry-after': 'soon' }, { 'retry-after': '' }, { etag: 'x' }, { etag: '' }])(
    'must match the schema of the contract: %j',
    (headers) => {
      expect(check(200, 'application/json', video, {}, headers)).toMatch(/must match pattern/);
    },
  );

  test('must not contain secrets, whether declared or not', () => {
    expect(check(200, 'application/json', video, {}, { 'x-odd': 'a s3cr3t' })).toBe('it contains a secret');
    expect(check(200, 'application/json', video, {}, { 'set-cookie': ['a', 's3cr3t'] })).toBe('it contains a secret');
    const page = { route: routeOf('GET', '/openapi.json'), path: '/openapi.json' };
    const policy = { 'content-security-policy': 'img-src http://s3cr3t' };
    expect(check(200, 'application/json', { openapi: '3.1.0', paths: {} }, page, policy)).toBeUndefined();
    expect(check(200, 'text/html', '', { route: undefined, method: 'HEAD', path: '/' }, policy)).not.toBe(
      'it contains a secret',
    );
    expect(check(200, 'application/json', video, {}, policy)).toBe('it contains a secret');
    expect(check(200, 'application/json', {}, page, { 'x-host': 'x.aliyuncs.com' })).toMatch(/aliyuncs/);
  });
});

describe('a response without authentication', () => {
  const gateway = (status: number) => ({
    ...{ type: 'urn:firstframe:problem:bad_request', title: 'No.', status, detail: 'No.', message: 'No.' },
    code: 'bad_request',
    request_id: 'x',
  });

  test.each(['none', 'wrong', 'scheme', 'long'] as const)('must be a 401 or of the gateway: %s', (credentials) => {
    const bearer = { 'www-authenticate': 'Bearer' };
    expect(check(401, 'application/json', { ...gateway(401), code: 'unauthorized' }, { credentials }, bearer)).toBe(
      undefined,
    );
    expect(check(400, 'application/json', gateway(400), { credentials })).toBeUndefined();
    for (const [status, type, body] of [
      [200, 'application/json', video],
      [304, '', ''],
      [404, 'application/problem+json', problem],
    ] as const) {
      expect(check(status, type, body, { credentials })).toBe(`a ${status} without authentication`);
    }
  });

  test('may be any declared one on public routes and with two valid keys', () => {
    expect(check(200, 'application/json', video, { credentials: 'twice' })).toBeUndefined();
    const health = { route: routeOf('GET', '/health'), path: '/health', credentials: 'none' as const };
    expect(check(200, 'application/json', { status: 'ok' }, health)).toBeUndefined();
  });

  test('is what an upload with an API key instead of a token gets', () => {
    const upload = { route: routeOf('POST', '/api/v1/uploads'), path: '/api/v1/uploads', method: 'POST' };
    expect(check(200, 'application/json', { request_id: 'x' }, upload)).toBe('a 200 without authentication');
  });
});

describe('a response for a video that does not exist for the caller', () => {
  const foreign = [
    { id: { kind: 'other', index: 0 } },
    { id: { kind: 'own', index: 0 }, credentials: 'other' },
  ] as const satisfies Partial<FuzzRequest>[];
  const missing = [{ id: { kind: 'never', index: 0 } }, { id: { kind: 'text', text: 'x' } }] as const;

  test.each([...foreign, ...missing])('reveals nothing else: %j', (request) => {
    expect(check(404, 'application/problem+json', problem, request)).toBeUndefined();
    expect(check(200, 'application/json', video, request)).toMatch(/^a 200 for a video that does not exist/);
    const ended = { ...problem, status: 409, code: 'video_has_ended' };
    const cancel = { ...request, route: routeOf('POST', '/videos/{id}/cancel'), path: '/videos/{id}/cancel' };
    expect(check(409, 'application/problem+json', ended, cancel)).toMatch(/^a 409 for a video/);
    const remove = { ...request, route: routeOf('DELETE', '/videos/{id}'), method: 'DELETE' };
    expect(check(204, '', '', remove)).toMatch(/^a 204 for a video/);
  });

  test("may have the status UNKNOWN in Wan's protocol", () => {
    const query = { route: routeOf('GET', '/api/v1/tasks/{task_id}'), path: '/api/v1/tasks/{task_id}', ...foreign[0] };
    const task = (task_status: string) => ({ request_id: 'x', output: { task_id: 'x', task_status } });
    expect(check(200, 'application/json', task('UNKNOWN'), query)).toBeUndefined();
    expect(check(200, 'application/json', task('SUCCEEDED'), query)).toMatch(/^a 200 for a video/);
  });

  test('is compared with the response for an id that never existed if the video is another owner’s', () => {
    expect(foreign.map((request) => namesForeignVideo(requestWith(request)))).toEqual([true, true]);
    expect(missing.map((request) => namesForeignVideo(requestWith(request)))).toEqual([false, false]);
    expect(namesForeignVideo(requestWith({ id: { kind: 'other', index: 0 }, credentials: 'other' }))).toBe(false);
    expect(namesForeignVideo(requestWith({ id: { kind: 'other', index: 0 }, credentials: 'none' }))).toBe(false);
  });

  test('differs from the response for an id that never existed only in ids', () => {
    const id = '6d1f7c5e-9b0a-4f57-8d0e-2f3c5a7b9d11';
    const response = {
      status: 404,
      headers: { date: 'now', 'x-amzn-requestid': '1', vary: 'Accept' },
      body: `{"${id}"}`,
    };
    const other = {
      ...response,
      headers: { ...response.headers, date: 'then' },
      body: response.body.replace('6', '7'),
    };
    expect(differenceOf(response, other)).toBeUndefined();
    expect(differenceOf(response, { ...other, status: 409 })).toBe('status');
    expect(differenceOf(response, { ...other, body: 'It is running.' })).toBe('body');
    expect(differenceOf(response, { ...other, headers: { etag: '"x"' } })).toBe('vary, etag');
  });
});

describe('requests', () => {
  test('are reproducible by seed', () => {
    const some = () => fc.sample(requestsOf(contract), { seed: 7, numRuns: 50 });
    expect(isDeepStrictEqual(some(), some())).toBe(true);
    expect(isDeepStrictEqual(some(), fc.sample(requestsOf(contract), { seed: 8, numRuns: 50 }))).toBe(false);
  });

  test('cover every operation', () => {
    const covered = fc.sample(requestsOf(contract), { seed: 7, numRuns: 1000 }).map(({ route }) => route?.operationId);
    expect(new Set(covered)).toEqual(new Set([undefined, ...contract.routes.map(({ operationId }) => operationId)]));
  });

  test('start from values that match their schemas', () => {
    const { schema } = routeOf('POST', '/videos').requestBody!.content['application/json']!;
    for (const body of fc.sample(valuesOf(contract, schema, {}), { seed: 7, numRuns: 200 })) {
      expect(contract.faultOf(schema, body)).toBeUndefined();
    }
  });
});
