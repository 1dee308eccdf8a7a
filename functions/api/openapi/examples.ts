import type * as z from 'zod';
import { explainEnding } from '../../wan/failures.ts';
import type { videoSchema } from './video-schema.ts';

type Video = z.input<typeof videoSchema>;

const id = '5f0c6b9e-3a52-8d0e-9c1b-7e4f2a9d6c38';
/** The request id in example responses. */
export const request_id = '6d1f7c5e-9b0a-4f57-8d0e-2f3c5a7b9d11';
const price = { amount: 0.18, currency: 'USD', unit_price: 0.036, seconds: 5, as_of: '2025-12-29' } as const;

export const videoRequest = {
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A kitten runs through the grass', img_url: 'https://example.com/cat.png' },
  parameters: { resolution: '720P' },
  metadata: { project: 'spring' },
};

/** With audio and every parameter that the model has. */
export const fullVideoRequest = {
  model: 'wan2.6-i2v',
  input: {
    prompt: 'The kitten looks up, then dances to the beat',
    negative_prompt: 'blurred, distorted',
    img_url: 'https://example.com/kitten.webp',
    audio_url: 'https://example.com/song.mp3',
  },
  parameters: {
    resolution: '1080P',
    duration: 10,
    prompt_extend: true,
    shot_type: 'multi',
    watermark: false,
    seed: 12345,
  },
  metadata: { project: 'spring', scene: '4' },
  webhook_url: 'https://example.com/hooks/videos',
  webhook_events: 'all',
};

/** With a list of media. */
export const framesRequest = {
  model: 'wan2.7-i2v',
  input: {
    prompt: 'The bud opens into a flower',
    media: [
      { type: 'first_frame', url: 'https://example.com/bud.png' },
      { type: 'last_frame', url: 'https://example.com/flower.png' },
    ],
  },
  parameters: { resolution: '720P', duration: 4 },
};

/** Continues a video by three seconds. */
export const extensionRequest = { prompt: 'The kitten jumps over a puddle', seconds_to_add: 3 };

/** The draft of `videoRequest` as a final video. */
export const variationRequest = { model: 'wan2.6-i2v', resolution: '1080P' };

const queuedVideo: Video = {
  id,
  owner: 'alice',
  status: 'queued',
  created_at: '2026-01-31T12:00:00.000Z',
  updated_at: '2026-01-31T12:00:00.000Z',
  model: videoRequest.model,
  input: {
    prompt: videoRequest.input.prompt,
    media: [{ type: 'first_frame', url: videoRequest.input.img_url }],
  },
  parameters: { resolution: '720P', duration: 5, prompt_extend: true, watermark: false },
  source: { type: 'api', key_id: '3f9a1c7e5b2d', request_id },
  metadata: videoRequest.metadata,
  warnings: [],
  progress: 0,
  estimated_cost: price,
  timeline: [{ status: 'queued', at: '2026-01-31T12:00:00.000Z' }],
};

/** While all permits of its model are in use. */
export const waitingVideo: Video = {
  ...queuedVideo,
  queue_position: 3,
  estimated_start_at: '2026-01-31T12:02:30.000Z',
};

/** Continues another video. */
export const extendedVideo: Video = {
  ...waitingVideo,
  id: '0b8d1f62-94c7-8e35-a1d0-6c2f5b7e9a14',
  model: 'wan2.7-i2v',
  input: {
    prompt: extensionRequest.prompt,
    media: [{ type: 'first_clip', url: 's3://firstframe-uploads/inputs/0b8d1f62-94c7-8e35-a1d0-6c2f5b7e9a14/5c.mp4' }],
  },
  parameters: { resolution: '720P', duration: 8, prompt_extend: true, watermark: false },
  derived_from: id,
  warnings: [
    {
      pointer: '/seconds_to_add',
      code: 'source_billed_again',
      message: 'Wan bills the whole continuation, 8 s: the 5 s of its source again, and the 3 s that are added.',
    },
  ],
  estimated_cost: { amount: 0.8, currency: 'USD', unit_price: 0.1, seconds: 8, as_of: '2026-11-01' },
};

const task = {
  status: 'SUCCEEDED',
  region: 'singapore',
  submit_time: '2026-01-31T12:00:01.000Z',
  scheduled_time: '2026-01-31T12:00:02.000Z',
  end_time: '2026-01-31T12:01:36.000Z',
  expires_at: '2026-02-01T12:00:01.000Z',
  attempts: 1,
};

export const succeededVideo: Video = {
  ...queuedVideo,
  status: 'succeeded',
  updated_at: '2026-01-31T12:01:41.300Z',
  progress: 100,
  task: { ...task, actual_prompt: 'A ginger kitten runs through tall grass in the morning sun' },
  video: {
    bucket: 'firstframe-videos',
    key: `${id}/1-1.mp4`,
    version_id: '3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY',
    bytes: 3_204_117,
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    content_type: 'video/mp4',
    duration_seconds: 5,
    width: 1280,
    height: 720,
    fps: 30,
    codecs: ['avc1.640020'],
    provenance: { c2pa: true, aigc_label: true, watermark: false },
  },
  usage: { duration: 5, video_count: 1, SR: 720 },
  cost: price,
  timeline: [
    ...queuedVideo.timeline,
    { status: 'submitting', at: '2026-01-31T12:00:00.200Z' },
    { status: 'running', at: '2026-01-31T12:00:01.400Z' },
    { status: 'archiving', at: '2026-01-31T12:01:38.000Z' },
    { status: 'succeeded', at: '2026-01-31T12:01:41.300Z' },
  ],
};

export const failedVideo: Video = {
  ...queuedVideo,
  status: 'failed',
  updated_at: '2026-01-31T12:00:41.000Z',
  progress: 40,
  task: { ...task, status: 'FAILED', end_time: '2026-01-31T12:00:39.000Z' },
  error: explainEnding('content_refused'),
  timeline: [
    ...queuedVideo.timeline,
    { status: 'submitting', at: '2026-01-31T12:00:00.200Z' },
    { status: 'running', at: '2026-01-31T12:00:01.400Z' },
    { status: 'failed', at: '2026-01-31T12:00:41.000Z' },
  ],
};

export const canceledVideo: Video = {
  ...queuedVideo,
  status: 'canceled',
  updated_at: '2026-01-31T12:00:04.000Z',
  error: explainEnding('canceled'),
  timeline: [...queuedVideo.timeline, { status: 'canceled', at: '2026-01-31T12:00:04.000Z' }],
};

export const exampleId = id;
export const examplePrice = price;
