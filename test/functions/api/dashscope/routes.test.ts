import { describe, expect, test } from 'vitest';
import { errorBody } from '../../../../functions/api/dashscope/schemas.ts';
import { submit, taskRequests } from './task-requests.ts';

const { dashscope } = taskRequests();

describe('a route that the protocol does not have', () => {
  test.each([
    ['GET', 'nothing'],
    ['GET', 'tasks/a/b'],
    ['GET', 'tasks//'],
    ['POST', 'services/aigc/text2image/image-synthesis'],
    ['GET', 'Tasks'],
    ['POST', 'tasks/a/cancel/b'],
  ])('%s %s is a 404', async (method, path) => {
    const answer = await dashscope().call({ method, path });
    expect(answer).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    errorBody.parse(answer.body);
  });

  test.each([
    ['GET', submit, 'POST'],
    ['DELETE', 'tasks/a', 'GET'],
    ['POST', 'tasks', 'GET'],
    ['GET', 'tasks/a/cancel', 'POST'],
    ['constructor', 'tasks', 'GET'],
  ])('%s %s is a 405 that names the methods', async (method, path, allow) => {
    const answer = await dashscope().call({ method, path });
    expect(answer).toMatchObject({ status: 405, headers: { allow }, body: { code: 'MethodNotAllowed' } });
    errorBody.parse(answer.body);
  });

  test('and a caller whom nobody named is refused before anything is looked at', async () => {
    const answer = await dashscope().call({ path: 'nothing', owner: '' });
    expect(answer).toMatchObject({
      status: 401,
      body: { code: 'InvalidApiKey', message: 'Invalid API-key provided.', request_id: 'request-1' },
    });
  });
});
