import { beforeEach, expect, test } from 'vitest';
import { ApiProblem } from '../../web/api-problem.ts';
import { createConnection } from '../../web/connection.ts';

const fails = (problem: unknown) => () => Promise.reject(problem);

/** What the line says; undefined while it is hidden. */
let line: string | undefined;
let refused: ApiProblem[];
let connection: ReturnType<typeof createConnection>;
beforeEach(() => {
  line = undefined;
  refused = [];
  connection = createConnection(
    (words) => {
      line = words;
    },
    (problem) => refused.push(problem),
  );
});

test('the line says what fails until something works again', async () => {
  expect(await connection.attempt(fails(new ApiProblem(503, { title: 'Busy.', detail: 'Wait.' })))).toBe('failed');
  expect(line).toBe('Busy. Wait.');
  expect(await connection.attempt(async () => 'answer')).toBe('answer');
  expect(line).toBeUndefined();
});

test('patience grows with each failure in a row, to a minute, and calls that fail together have failed once', async () => {
  const patience: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    await Promise.all([1, 2, 3].map(() => connection.attempt(fails(new ApiProblem(500, {})))));
    patience.push(connection.patience());
  }
  expect(patience).toEqual([8, 16, 32, 60, 60, 60]);
  await connection.attempt(async () => 'answer');
  expect(connection.patience()).toBe(4);
});

test('patience is never less than the server asked for', async () => {
  await connection.attempt(fails(new ApiProblem(429, {}, 90)));
  expect(connection.patience()).toBe(90);
});

test('a key that is not taken is no trouble of the connection', async () => {
  await connection.attempt(fails(new ApiProblem(401, {})));
  expect(refused).toHaveLength(1);
  expect(line).toBeUndefined();
});

test('nothing is said of a call that was taken back', async () => {
  const signal = AbortSignal.abort();
  expect(await connection.attempt(fails(signal.reason), signal)).toBe('failed');
  expect(line).toBeUndefined();
  expect(connection.patience()).toBe(4);
});

test('a fault of the page itself is not taken for one of the connection', async () => {
  await expect(connection.attempt(fails(new TypeError('undefined is no function')))).rejects.toThrow(TypeError);
});
