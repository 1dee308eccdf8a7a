import { beforeEach, expect, test } from 'vitest';
import { ApiProblem } from '../../web/api-problem.ts';
import { createConnection } from '../../web/connection.ts';

const fails = (problem: unknown) => () => Promise.reject(problem);

/** The shown notice; undefined while it is hidden. */
let notice: string | undefined;
let rejected: ApiProblem[];
let connection: ReturnType<typeof createConnection>;
beforeEach(() => {
  notice = undefined;
  rejected = [];
  connection = createConnection(
    (message) => {
      notice = message;
    },
    (problem) => rejected.push(problem),
  );
});

test('shows the failure until a call succeeds', async () => {
  expect(await connection.attempt(fails(new ApiProblem(503, { title: 'Busy.', detail: 'Wait.' })))).toBe('failed');
  expect(notice).toBe('Busy. Wait.');
  expect(await connection.attempt(async () => 'result')).toBe('result');
  expect(notice).toBeUndefined();
});

test('doubles the retry delay with each failure in a row, up to a minute; concurrent failures count once', async () => {
  const delays: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    await Promise.all([1, 2, 3].map(() => connection.attempt(fails(new ApiProblem(500, {})))));
    delays.push(connection.retryDelay());
  }
  expect(delays).toEqual([8, 16, 32, 60, 60, 60]);
  await connection.attempt(async () => 'result');
  expect(connection.retryDelay()).toBe(4);
});

test('never retries before the server’s Retry-After', async () => {
  await connection.attempt(fails(new ApiProblem(429, {}, 90)));
  expect(connection.retryDelay()).toBe(90);
});

test('reports a rejected key, not a connection failure', async () => {
  await connection.attempt(fails(new ApiProblem(401, {})));
  expect(rejected).toHaveLength(1);
  expect(notice).toBeUndefined();
});

test('shows nothing for an aborted call', async () => {
  const signal = AbortSignal.abort();
  expect(await connection.attempt(fails(signal.reason), signal)).toBe('failed');
  expect(notice).toBeUndefined();
  expect(connection.retryDelay()).toBe(4);
});

test('throws an error of the page itself', async () => {
  await expect(connection.attempt(fails(new TypeError('undefined is not a function')))).rejects.toThrow(TypeError);
});
