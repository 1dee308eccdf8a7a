import { randomUUID } from 'node:crypto';
import type { VideoRecord } from '../../functions/video/record.ts';
import { newVideo } from '../../functions/video/store.ts';

/** A queued video with everything a request has. */
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
