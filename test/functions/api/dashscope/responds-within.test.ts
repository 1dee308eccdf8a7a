import { expect, test } from 'vitest';
import { respondsWithin } from '../../../../functions/api/dashscope/cancel-task-route.ts';
import { createWanClient } from '../../../../functions/wan/client/client.ts';

/** Never responds; rejects on abort. */
const unresponsive: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
  });

test('gives up on an unresponsive Wan after the time limit for all calls together', async () => {
  const wan = createWanClient({ baseUrl: 'https://wan.example', apiKey: async () => 'sk-1', fetch: unresponsive });
  const limited = respondsWithin(20, wan);
  expect(await limited.cancelTask('a-task')).toMatchObject({ outcome: 'unavailable' });
  expect(await limited.queryTask('a-task')).toMatchObject({ outcome: 'unavailable', cause: 'aborted' });
});
