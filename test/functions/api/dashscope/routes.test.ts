import { describe, expect, test } from 'vitest';
import { errorBody } from '../../../../functions/api/dashscope/schemas.ts';
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
      body: { code: 'InvalidApiKey', message: 'Invalid API-key provided.', request_id: 'request-1' },
    });
  });
});
