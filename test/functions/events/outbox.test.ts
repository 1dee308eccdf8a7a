import { randomUUID } from 'node:crypto';
import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { beforeEach, describe, expect, test } from 'vitest';
import { finishVideos } from '../../../functions/drops/write-result.ts';
import { withStatusHook } from '../../../functions/entries/on-status-changed.ts';
import type { Platform } from '../../../functions/entries/platform.ts';
import { type EventServices, publishEvents } from '../../../functions/events/outbox.ts';
import { type EventDetail, eventDetailSchema } from '../../../functions/events/schema.ts';
import { requeueVideo } from '../../../functions/submissions/restart.ts';
import type { Status, VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
let now = start;
const store = startTable(() => now);
let published: { type: string; detail: EventDetail }[];
/** What PutEvents does: answers, refuses an event, or throws before or after it has accepted the events. */
let outcome: 'accepts' | 'refuses' | 'dies before' | 'dies after';
beforeEach(() => {
  now = start;
  published = [];
  outcome = 'accepts';
});

const eventBridge = {
  async send({ input }: PutEventsCommand) {
    if (outcome === 'dies before') throw new Error('ECONNRESET');
    if (outcome === 'refuses') return { FailedEntryCount: 1, Entries: [{ ErrorCode: 'ThrottlingException' }] };
    for (const { Source, DetailType, Detail, EventBusName, Time } of input.Entries!) {
      expect({ Source, EventBusName }).toEqual({ Source: 'firstframe', EventBusName: 'videos' });
      const detail = eventDetailSchema.parse(JSON.parse(Detail!));
      expect(Time).toEqual(new Date(detail.at));
      published.push({ type: DetailType!, detail });
    }
    if (outcome === 'dies after') throw new Error('ECONNRESET');
    return { FailedEntryCount: 0 };
  },
} as EventServices['eventBridge'];

const publish = (table: Table) => (video: VideoRecord) =>
  publishEvents({ table, eventBridge, busName: 'videos' }, video);
const noS3 = { send: () => Promise.reject(new Error('No S3 is needed.')) } as unknown as Platform['s3'];
const errors: unknown[] = [];
const logger = { error: (_: unknown, details: unknown) => errors.push(details) } as unknown as Platform['logger'];
const watched = (table: Table = store.table): Table =>
  withStatusHook(table, { s3: noS3, publish: publish(table), recordMetric: () => undefined, logger });
const sweep = () =>
  finishVideos({
    table: store.table,
    s3: noS3,
    copyVideo: false,
    publish: publish(store.table),
    deleteLeftovers: async () => undefined,
  });

const summary = () => published.map(({ type, detail }) => `${detail.sequence} ${type}`);
async function move(table: Table, video: VideoRecord, ...statuses: Status[]): Promise<VideoRecord> {
  let current = video;
  for (const status of statuses) {
    now += 1000;
    current = (await changeStatus(table, current, status))!;
  }
  return current;
}

test('publishes each status change once, in order, by its schema, without prompts, links and keys', async () => {
  const table = watched();
  const secret = `secret-${randomUUID()}`;
  const source = randomUUID();
  const video = aVideo(
    {
      input: {
        prompt: secret,
        negative_prompt: secret,
        media: [{ type: 'first_frame', url: `https://example.com/${secret}.png` }],
      },
      derived_from: source,
      source: { type: 'api', key_id: secret },
      metadata: { project: 'spring' },
    },
    start,
  );
  await createVideo(table, video);
  const archiving = await move(table, video, 'submitting', 'running', 'archiving');
  const file = { bucket: secret, key: secret, content_type: 'video/mp4', bytes: 7, sha256: 'ab' };
  await changeStatus(table, archiving, 'succeeded', {
    set: {
      video: {
        ...file,
        duration_seconds: 5,
        width: 832,
        height: 480,
        fps: 30,
        codecs: ['avc1'],
        provenance: { c2pa: false, aigc_label: false, watermark: false },
      },
      cost: { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' } as never,
    },
  });
  expect(summary()).toEqual([
    '1 video.queued',
    '2 video.submitting',
    '3 video.running',
    '4 video.archiving',
    '5 video.succeeded',
  ]);
  expect(JSON.stringify(published)).not.toContain(secret);
  expect(published.at(-1)!.detail).toMatchObject({
    version: '1',
    id: video.id,
    owner: video.owner,
    metadata: { project: 'spring' },
    derived_from: source,
    video: { bytes: 7, duration_seconds: 5 },
    cost: { amount: 0.1, currency: 'USD' },
  });
});

test('a return to the queue is no event; a retry continues the sequence', async () => {
  const table = watched();
  const video = aVideo({}, start);
  await createVideo(table, video);
  const submitting = await move(table, video, 'submitting', 'queued', 'submitting');
  const failed = await changeStatus(table, submitting, 'failed', {
    set: { error: { code: 'internal_error', message: 'It failed.', retryable: true, billed: false, hint: 'Retry.' } },
  });
  await requeueVideo(table, failed!, {});
  expect(summary()).toEqual(['1 video.queued', '2 video.submitting', '3 video.failed', '4 video.queued']);
  expect(published[2]!.detail.error).toEqual({ code: 'internal_error', retryable: true, billed: false });
});

describe('a crash or a failure after the status write loses no ending', () => {
  test.each(['dies before', 'dies after', 'refuses'] as const)('EventBridge %s', async (given) => {
    const table = watched();
    const video = aVideo({}, start);
    await createVideo(table, video);
    outcome = given;
    const canceled = await move(table, video, 'canceled');
    expect(canceled.status).toBe('canceled');
    await expect(sweep()).rejects.toThrow();
    outcome = 'accepts';
    expect(await sweep()).toContain(video.id);
    expect(summary()).toContain('2 video.canceled');
    published = [];
    expect(await sweep()).toEqual([]);
    expect(published).toEqual([]);
  });

  test('at each call to the table', async () => {
    for (let survived = 0; ; survived++) {
      published = [];
      let calls = 0;
      const client = {
        send: async (command: never) => {
          if (calls++ >= survived) throw new Error('The process died.');
          return store.table.client.send(command);
        },
      } as Table['client'];
      const video = aVideo({}, start);
      await createVideo(watched(), video);
      const dying = watched({ ...store.table, client });
      const failed = await changeStatus(dying, video, 'failed').catch(() => undefined);
      if (!failed) continue;
      await sweep();
      expect(summary(), `after ${survived} calls`).toContain('2 video.failed');
      if (calls < survived) return;
    }
  });

  test('an earlier status is published with the next one', async () => {
    const video = aVideo({}, start);
    await createVideo(store.table, video);
    const running = await move(store.table, video, 'submitting', 'running');
    await move(watched(), running, 'failed');
    expect(summary()).toEqual(['1 video.queued', '2 video.submitting', '3 video.running', '4 video.failed']);
  });
});

test('concurrent publishers leave the highest sequence', async () => {
  const video = aVideo({}, start);
  await createVideo(store.table, video);
  const running = await move(store.table, video, 'submitting', 'running');
  await Promise.all([publish(store.table)(video), publish(store.table)(running), publish(store.table)(running)]);
  published = [];
  await publish(store.table)((await readVideo(store.table, video.id))!);
  expect(published).toEqual([]);
});

test('a video with many retries publishes in calls of ten', async () => {
  const timeline = Array.from({ length: 25 }, () => ({ status: 'queued' as const, at: new Date(start).toISOString() }));
  await publish(store.table)({ ...aVideo({}, start), timeline });
  expect(published.map(({ detail }) => detail.sequence)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
});
