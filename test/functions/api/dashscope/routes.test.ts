import { describe, expect, test } from 'vitest';
import { DashscopeError, dashscopeErrorOf, referenceCodes } from '../../../../functions/api/dashscope/errors.ts';
import { errorBody } from '../../../../functions/api/dashscope/schemas.ts';
import { codeNames, problemCodes } from '../../../../functions/api/openapi/problem-codes.ts';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import { submit, taskRequests } from './task-requests.ts';

const { dashscope } = taskRequests();

describe('an unknown route', () => {
  test.each([
    ['GET', 'nothing'],
    ['GET', 'tasks/a/b'],
    ['GET', 'tasks//'],
    ['POST', 'services/aigc/text2image/image-synthesis'],
    ['GET', 'Tasks'],
    ['POST', 'tasks/a/cancel/b'],
  ])('answers %s %s with 404', async (method, path) => {
    const response = await dashscope().call({ method, path });
    expect(response).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    errorBody.parse(response.body);
  });

  test.each([
    ['GET', submit, 'OPTIONS, POST'],
    ['DELETE', 'tasks/a', 'GET, HEAD, OPTIONS'],
    ['POST', 'tasks', 'GET, HEAD, OPTIONS'],
    ['GET', 'tasks/a/cancel', 'OPTIONS, POST'],
    ['HEAD', 'tasks/a/cancel', 'OPTIONS, POST'],
    ['constructor', 'tasks', 'GET, HEAD, OPTIONS'],
  ])('answers %s %s with 405 and the allowed methods', async (method, path, allow) => {
    const response = await dashscope().call({ method, path });
    expect(response).toMatchObject({ status: 405, headers: { allow }, body: { code: 'MethodNotAllowed' } });
    errorBody.parse(response.body);
  });

  test('refuses a request without a caller before routing it', async () => {
    const response = await dashscope().call({ path: 'nothing', owner: '' });
    expect(response).toMatchObject({
      status: 401,
      body: {
        code: 'InvalidApiKey',
        message: 'Invalid API-key provided. Send a key of this service in the header Authorization: Bearer KEY.',
        request_id: 'request-1',
      },
    });
  });
});

/** What is wrong, then what to do: two sentences, or one that has both as in the reference. */
const explains = /^[^.]+\. [A-Z].+\.$|, please .+\.$/;

describe('a message names what is wrong, then what to do', () => {
  test.each(referenceCodes)('%s', (code) => {
    expect(new DashscopeError(code).message).toMatch(explains);
  });

  test.each(codeNames)('a problem with the code %s', (code) => {
    const members = { code, title: 'The video is late.', detail: 'Try again.' };
    expect(dashscopeErrorOf(new ProblemError(problemCodes[code].status, members))?.message).toMatch(explains);
  });

  test.each([
    ['GET', 'tasks?page_no=0'],
    ['GET', 'tasks?status=done'],
    ['GET', 'tasks?start_time=now'],
    ['GET', 'tasks?start_time=20260308000000&end_time=20260309000001'],
    ['GET', 'uploads'],
    ['GET', 'uploads?action=getPolicy'],
    ['GET', 'uploads?action=getPolicy&model=wan9'],
    ['POST', 'uploads'],
    ['POST', 'tasks/a/cancel'],
    ['POST', submit],
    ['GET', 'nothing'],
    ['PUT', 'tasks'],
  ])('%s %s', async (method, path) => {
    const response = await dashscope().call({ method, path });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.body.message).toMatch(explains);
  });
});
