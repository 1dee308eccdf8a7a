import { describe, expect, test } from 'vitest';
import { isOwnerName } from '../../../../functions/api/auth/api-keys.ts';
import { callerOfPrincipal } from '../../../../functions/api/auth/iam-principal.ts';
import { apiHandler } from '../../../../functions/api/http/handler.ts';
import { type ApiRequest, headerValues, json } from '../../../../functions/api/http/request.ts';
import { health } from '../../../../functions/api/videos/health.ts';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import { aRequest, responseOf } from '../support.ts';

test('answers an unexpected error with 500 without details and logs it with the request id', async () => {
  const logged: unknown[] = [];
  const unexpectedError = new Error('connect ECONNREFUSED 10.0.0.7:443 for key ff_secret');
  const handle = apiHandler(
    () => Promise.reject(unexpectedError),
    (...args) => logged.push(args),
  );
  const response = responseOf(await handle(aRequest({})));
  expect(response).toMatchObject({
    status: 500,
    headers: { 'content-type': 'application/problem+json' },
    body: {
      status: 500,
      code: 'internal_error',
      request_id: 'request-1',
      detail: expect.stringContaining('request_id'),
    },
  });
  expect(JSON.stringify(response)).not.toMatch(/ECONNREFUSED|10\.0\.0\.7|ff_secret|stack/);
  expect(logged).toEqual([[unexpectedError, 'request-1']]);
});

test('answers a synchronous throw with 500', async () => {
  const handle = apiHandler(
    () => {
      throw new TypeError('undefined is not a function');
    },
    () => {},
  );
  expect(responseOf(await handle(aRequest({}))).status).toBe(500);
});

test('answers a ProblemError with its status, members and headers, and does not log it', async () => {
  const problem = new ProblemError(409, { code: 'x', title: 'No.', detail: 'Not now.' }, { 'retry-after': '3' });
  const handle = apiHandler(
    () => Promise.reject(problem),
    () => expect.unreachable(),
  );
  expect(responseOf(await handle(aRequest({})))).toEqual({
    status: 409,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'retry-after': '3' },
    body: {
      type: 'urn:firstframe:problem:x',
      status: 409,
      code: 'x',
      title: 'No.',
      detail: 'Not now.',
      request_id: 'request-1',
    },
  });
});

test('takes the caller from the authorizer only', async () => {
  const handle = apiHandler(
    async (_, caller) => json(200, caller),
    () => {},
  );
  const headers = { owner: 'bob', 'x-owner': 'bob' };
  const response = responseOf(await handle(aRequest({ owner: 'alice', headers, query: { owner: 'bob' } })));
  expect(response.body).toEqual({ owner: 'alice', key_id: 'key of alice' });
});

describe('without an authorizer', () => {
  const signer = { userArn: 'arn:aws:iam::123456789012:user/alice' };
  const unsigned = { userArn: null };
  const handle = apiHandler(
    async (_, caller) => json(200, caller),
    () => expect.unreachable(),
  );
  const from = async (requestContext: ApiRequest['requestContext']) =>
    responseOf(await handle({ ...aRequest({}), requestContext }));

  test('takes the caller from the IAM principal of API Gateway', async () => {
    const response = await from({ identity: signer });
    expect(response.status).toBe(200);
    expect(response.body).toEqual(callerOfPrincipal(signer));
    expect(isOwnerName(response.body.owner)).toBe(true);
  });

  test.each([
    {},
    { identity: null },
    { identity: {} },
    { identity: unsigned },
    { authorizer: null, identity: unsigned },
    { authorizer: {}, identity: signer },
    { authorizer: { owner: '', key_id: 'k' }, identity: signer },
    { authorizer: { owner: 'alice' }, identity: signer },
    { authorizer: { owner: 7, key_id: 'k' } },
  ])('refuses %j', async (requestContext) => {
    expect(await from(requestContext)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });
});

test('finds all distinct values of a header in any case and form', () => {
  const headers = { Accept: 'b', 'X-Other': 'x', ACCEPT: undefined };
  expect(headerValues({ headers, multiValueHeaders: { accept: ['a', 'b'] } }, 'accept')).toEqual(['a', 'b']);
  expect(headerValues({ headers: null, multiValueHeaders: null }, 'accept')).toEqual([]);
  expect(headerValues({ headers }, '__proto__')).toEqual([]);
});

test('answers health with 200 while the table responds and otherwise with 503, without details', async () => {
  const store = startTable();
  expect(responseOf(await health(store.table, () => expect.unreachable()))).toMatchObject({
    status: 200,
    body: { status: 'ok' },
  });
  const logged: unknown[] = [];
  const failing = {
    ...store.table,
    client: { send: () => Promise.reject(new Error('arn:aws:secret')) },
  } as unknown as Table;
  const response = responseOf(await health(failing, (error) => logged.push(error)));
  expect(response).toMatchObject({ status: 503, headers: { 'retry-after': '5' }, body: { status: 'unavailable' } });
  expect(JSON.stringify(response)).not.toContain('arn:');
  expect(logged).toHaveLength(1);
});
