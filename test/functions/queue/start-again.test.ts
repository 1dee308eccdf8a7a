import { expect, test } from 'vitest';
import { dispatch, restartStuckStarts } from '../../../functions/queue/dispatch.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { scriptedExecutions } from '../workflow/support.ts';

const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
const store = startTable(() => clock.now);

test('starts, once, a video whose dispatcher crashed before the start, but leaves a new one to its dispatcher', async () => {
  const { executions, workflow } = scriptedExecutions();
  const limitsOf = (model: string) => ({ model, permits: 1, submit_interval_ms: 1 });
  const video = aVideo({ model: 'left' }, clock.now);
  await createVideo(store.table, video);
  const dies = { ...workflow, client: { send: () => Promise.reject(new Error('the process died')) } };
  await expect(dispatch({ table: store.table, workflow: dies, limitsOf }, 'left')).rejects.toThrow('died');
  expect(executions.size).toBe(0);

  clock.now += 10_000;
  expect(await restartStuckStarts({ table: store.table, workflow })).toEqual([]);
  clock.now += 10_000;
  expect(await restartStuckStarts({ table: store.table, workflow })).toEqual([video.id]);
  expect([...executions.keys()]).toEqual([`${video.id}-1`]);
  // Repeated while the video is submitting: the name of the execution is taken.
  expect(await restartStuckStarts({ table: store.table, workflow })).toEqual([video.id]);
  expect(executions.size).toBe(1);
});
