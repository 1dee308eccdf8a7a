import { describe, expect, test } from 'vitest';
import { createRouter } from '../../../../local/aws/api-gateway/routes.ts';
import { method } from './serve-api.ts';

describe('routes', () => {
  const paths = ['/videos', '/videos/{id}', '/videos/{id}/content', '/videos/latest', '/api/v1/{proxy+}', '/'];
  const route = createRouter(paths.map((path) => method(path)));

  test.each([
    ['/', '/', {}],
    ['/videos', '/videos', {}],
    ['/videos/', '/videos', {}],
    ['/videos/7', '/videos/{id}', { id: '7' }],
    ['/videos/latest', '/videos/latest', {}],
    ['/videos/a%2Fb/content', '/videos/{id}/content', { id: 'a%2Fb' }],
    ['/api/v1/tasks/7/cancel', '/api/v1/{proxy+}', { proxy: 'tasks/7/cancel' }],
  ])('%s is %s', (path, resource, parameters) => {
    const match = route('GET', path);
    expect([match?.method.resource_path, match?.path_parameters]).toEqual([resource, parameters]);
  });

  test.each(['/video', '//videos', '//api/v1/tasks', '/videos//content', '/videos/7/content/more', '/api/v1'])(
    '%s has no route',
    (path) => {
      expect(route('GET', path)).toBeUndefined();
    },
  );

  test('a specific method takes precedence over ANY, and a missing method has no route', () => {
    const own = createRouter([
      method('/a', { http_method: 'ANY', function_arn: 'any' }),
      method('/a', { http_method: 'POST', function_arn: 'post' }),
    ]);
    expect(own('POST', '/a')?.method.function_arn).toBe('post');
    expect(own('PUT', '/a')?.method.function_arn).toBe('any');
    expect(route('DELETE', '/videos')).toBeUndefined();
  });
});
