import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import type { Json } from '../../../local/aws/step-functions/contract.ts';
import { engineState } from '../../../local/aws/step-functions/definition/engine-state.ts';
import { runState } from '../../../local/aws/step-functions/execution/engine.ts';
import { FunctionError, functionArn, only, runToEnd, until } from './support.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

test('the engine, which brings AWS clients, calls nobody', async () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');

  const task = { Type: 'Task', Resource: functionArn('work'), End: true };
  await runToEnd(only(task));
  await runToEnd(
    only({ ...task, Retry: [{ ErrorEquals: ['States.ALL'] }] }),
    {},
    {
      invoke: async () => {
        throw new FunctionError('Broken', '');
      },
    },
  );
  await expect(runState(task, [], {}, {})).rejects.toMatchObject({ error: 'States.Runtime' });
  expect(requests).toBe(0);
  server.close();
});

test('the engine does not end a task after a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const state = engineState({ Type: 'Task', Resource: functionArn('work'), End: true });
  let answer: ((value: Json) => void) | undefined;
  const running = runState(
    state,
    [],
    {},
    {},
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  await until(() => answer !== undefined);
  await vi.advanceTimersByTimeAsync(15 * 60 * 1000);
  answer?.('late');
  expect(await running).toEqual({ output: 'late', next: undefined });
});
