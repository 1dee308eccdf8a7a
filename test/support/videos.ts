import { randomUUID } from 'node:crypto';
import type { RecordedMedia, StoredMedia, Task, VideoRecord } from '../../functions/video/record.ts';
import { newVideo } from '../../functions/video/store.ts';
import type { MediaItem, MediaType } from '../../functions/wan/media.ts';
import type { Deployment } from '../../functions/wan/prices.ts';
import { type Region, regions, workspaceBaseUrl } from '../../functions/wan/regions.ts';

/** Returns a deployment without settings of its own. */
export const aDeployment = (region: Region = 'singapore'): Deployment => ({
  region,
  base_url: regions[region].base_url ?? workspaceBaseUrl('ws-1', region),
  prices: {},
});

/** A deployment that offers every model. */
export const everyModel: Deployment = {
  region: 'singapore',
  base_url: workspaceBaseUrl('ws-1', 'singapore'),
  prices: {
    'wan2.6-i2v-flash': { '720P': 0.05, '1080P': 0.075 },
    'wan3.0-video-prime': { '480P': 0.07, '720P': 0.14, '1080P': 0.28 },
  },
};

/** Media of a first frame alone. */
export const firstFrame = (url: string, file?: StoredMedia): RecordedMedia[] => [
  { type: 'first_frame', url, ...(file ? { file } : {}) },
];

/** Returns an input with stored files. @param given without a file a type has the caller's URL */
export const storedInput = ({ image, audio }: { image?: StoredMedia; audio?: StoredMedia | string }) => {
  const frame = image
    ? firstFrame(`s3://${image.bucket}/${image.key}`, image)
    : firstFrame('https://example.com/cat.png');
  const driving: RecordedMedia[] =
    typeof audio === 'string'
      ? [{ type: 'driving_audio', url: audio }]
      : audio
        ? [{ type: 'driving_audio', url: `s3://${audio.bucket}/${audio.key}`, file: audio }]
        : [];
  return { input: { prompt: 'A cat runs', media: [...frame, ...driving] } };
};

/** Returns the URL of a type of media. */
export const urlOfMedia = ({ media }: { media: readonly MediaItem[] }, wanted: MediaType = 'first_frame') =>
  media.find(({ type }) => type === wanted)?.url;

/** Returns the stored file of a type of media. */
export const fileOf = ({ input }: Pick<VideoRecord, 'input'>, wanted: MediaType = 'first_frame') =>
  input.media.find(({ type }) => type === wanted)?.file;

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
      input: { prompt: 'A cat runs', media: firstFrame('https://example.com/cat.png') },
      parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
      metadata: {},
      warnings: [],
      request_hash: 'hash',
    },
    now,
  ),
  ...given,
});
