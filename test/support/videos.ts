import { randomUUID } from 'node:crypto';
import type { Task, VideoRecord } from '../../functions/video/record.ts';
import { newVideo } from '../../functions/video/store.ts';

/** Returns a task that was submitted at the usual start of the test clock and is expected to take 100 s. */
export const aTask = (given: Partial<Task> = {}): Task => ({
  id: 'task-1',
  status: 'RUNNING',
  region: 'singapore',
  submit_time: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-02T00:00:00.000Z',
  expected_seconds: 100,
  attempts: 1,
  ...given,
});

/** Returns a queued video with all fields of a request. */
export const aVideo = (given: Partial<VideoRecord> = {}, now = Date.parse('2026-01-01T00:00:00Z')): VideoRecord => ({
  ...newVideo(
    {
      id: randomUUID(),
      owner: 'alice',
      source: { type: 'api', key_id: 'k1' },
      model: 'wan2.2-i2v-plus',
      input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png' },
      parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
      metadata: {},
      warnings: [],
      request_hash: 'hash',
    },
    now,
  ),
  ...given,
});
