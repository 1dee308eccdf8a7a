import { expect, test } from 'vitest';
import { respondsWithin } from '../../../../functions/api/dashscope/cancel-task-route.ts';
import { createWanClient } from '../../../../functions/wan/client/client.ts';

/** Ends only when it is told to. */
const silent: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
  });

test('gives up on an unresponsive Wan after the time limit for all calls together', async () => {
  const wan = createWanClient({ baseUrl: 'https://wan.example', apiKey: async () => 'sk-1', fetch: silent });
  const impatient = respondsWithin(20, wan);
  expect(await impatient.cancelTask('a-task')).toMatchObject({ outcome: 'unavailable' });
  expect(await impatient.queryTask('a-task')).toMatchObject({ outcome: 'unavailable', cause: 'aborted' });
});
