import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createVideo } from '../../../functions/video/store.ts';
import type { WanClient } from '../../../functions/wan/client/client.ts';
import { reconcile } from '../../../functions/workflow/reconcile.ts';
import { startTable } from '../../support/table.ts';
import { aVideo, firstFrame } from '../../support/videos.ts';

const now = Date.parse('2026-01-01T00:01:00Z');
const store = startTable(() => now);

test.each([1, 2, 3])('reports the ids of %i candidate tasks only when there are several', async (count) => {
  const sent_at = '2026-01-01T00:00:50Z';
  const prompt = `A cat runs ${randomUUID()}`;
  const video = aVideo({
    status: 'submitting',
    run: 1,
    input: { prompt, media: firstFrame('https://example.com/cat.png') },
    submission: { attempt: 1, state: 'open', sent_at, uncertain_since: sent_at },
  } as Parameters<typeof aVideo>[0]);
  await createVideo(store.table, video);
  const ids = Array.from({ length: count }, () => randomUUID());
  const reported: unknown[] = [];
  const wan = {
    listTasks: async () => ({
      outcome: 'tasks',
      total_page: 1,
      tasks: ids.map((task_id) => ({ task_id, status: 'RUNNING' })),
    }),
    queryTask: async (task_id: string) => ({
      outcome: 'task',
      status: 'RUNNING',
      task_id,
      orig_prompt: prompt,
      submit_time: sent_at,
    }),
  } as unknown as Pick<WanClient, 'listTasks' | 'queryTask'>;
  const { verdict } = await reconcile(
    {
      table: store.table,
      wan,
      uncertainSeconds: 120,
      recordMetric: () => undefined,
      onAmbiguous: ({ id }, task_ids) => reported.push([id, task_ids]),
    },
    video,
  );
  expect(verdict).toBe(count === 1 ? 'adopted' : 'ambiguous');
  expect(reported).toEqual(count === 1 ? [] : [[video.id, ids]]);
});
