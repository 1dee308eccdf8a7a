import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { composeArchiveVideo, composeCreateTask, composeRecordFailure } from '../../../functions/entries/workflow.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import { startS3 } from '../../local/s3/support/start-s3.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { aContext, linesOf } from '../log-lines.ts';
import { ffmpegFile, h264, picture } from '../media/support.ts';
import { aPlatform } from './platform.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
let store: Awaited<ReturnType<typeof startTable>>;
let mp4: Buffer;
beforeAll(async () => {
  store = await startTable(() => now);
  mp4 = await ffmpegFile('video.mp4', ...picture('832x480', 5), ...h264, '-movflags', '+faststart');
});
afterAll(() => store.close());

const wan = {
  WAN_BASE_URL: 'https://dashscope-intl.aliyuncs.com/api/v1',
  WAN_SECRET_ARN: 'arn:secret',
  WAN_REGION: 'singapore',
} as const;
const dispatching = {
  TABLE_NAME: 'videos',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:0:stateMachine:videos',
  LANE_LIMITS: { extra_permits: 0, models: {} },
};
const creating = {
  ...wan,
  ...dispatching,
  UPLOADS_BUCKET: 'uploads',
  IMAGE_TRANSFER: 'url',
  TYPICAL_SECONDS: undefined,
  UNCERTAIN_SECONDS: 120,
  MONTHLY_SPENDING_LIMIT: undefined,
} as const;
const archivingIn = {
  ...wan,
  TABLE_NAME: 'videos',
  VIDEOS_BUCKET: 'videos',
  TRUSTED_ORIGINS: ['https://videos.test'],
  VIDEO_HOSTS: [],
  COPY_VIDEO_BESIDE: false,
};
const task = {
  id: 'task-1',
  status: 'SUCCEEDED',
  region: 'singapore',
  submit_time: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-02T00:00:00.000Z',
  attempts: 1,
};
const context = aContext('r1');

describe('archive-video', () => {
  async function archive(given: Parameters<typeof aVideo>[0]) {
    const s3 = await startS3({ buckets: { videos: { versioned: true } } });
    const measured: string[] = [];
    const output = { task_id: 'task-1', task_status: 'SUCCEEDED', video_url: 'https://videos.test/v.mp4' };
    const platform = aPlatform(store.table, {
      s3: s3.sdk,
      measure: (name) => measured.push(name),
      fetch: async (url) =>
        String(url).startsWith(wan.WAN_BASE_URL)
          ? Response.json({ output })
          : new Response(new Uint8Array(mp4), { headers: { 'content-length': String(mp4.length) } }),
    });
    const video = aVideo({ run: 1, task, ...given }, now);
    await createVideo(store.table, video);
    const handler = composeArchiveVideo(archivingIn, platform);
    let answer: unknown;
    const lines = await linesOf(async () => {
      answer = await handler({ id: video.id, run: 1 }, context);
    });
    return { answer, lines, measured, video };
  }

  test('archives a video, logs that, and sees to what follows its end', async () => {
    const { answer, lines, measured, video } = await archive({ status: 'archiving' });
    expect(answer).toEqual({ id: video.id, run: 1, outcome: 'archived' });
    expect(lines).toMatchObject([{ message: 'Archived the video', video_id: video.id, run: 1 }]);
    expect(measured).toEqual(expect.arrayContaining(['Succeeded', 'SecondsToFinish']));
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'succeeded', video: { bucket: 'videos' } });
  });

  test.each([{ status: 'canceled' }, { status: 'archiving', run: 2 }, { status: 'running' }] as const)(
    'logs that there was nothing to archive for a video that is %j',
    async (given) => {
      const { answer, lines, video } = await archive(given);
      expect(answer).toEqual({ id: video.id, run: 1, outcome: 'settled' });
      expect(lines).toMatchObject([{ message: 'Nothing to archive: the video has ended or moved on' }]);
      expect(await readVideo(store.table, video.id)).toMatchObject(given);
    },
  );
});

describe('create-task', () => {
  async function create(given: Parameters<typeof aVideo>[0], response: () => Response) {
    const video = aVideo({ status: 'submitting', run: 1, ...given }, now);
    await createVideo(store.table, video);
    const handler = composeCreateTask(creating, aPlatform(store.table, { fetch: async () => response() }));
    let answer: unknown;
    const lines = await linesOf(async () => {
      answer = await handler({ id: video.id, run: 1 }, context);
    });
    return { answer, lines };
  }
  const created = () => Response.json({ output: { task_id: 'task-2', task_status: 'PENDING' } });
  const refused = () =>
    Response.json(
      { code: 'DataInspectionFailed', message: 'Input data may contain inappropriate content.' },
      { status: 400 },
    );
  const unasked = (): Response => {
    throw new Error('Wan was asked.');
  };

  test('logs that the task exists only when it does', async () => {
    const first = await create({}, created);
    expect(first.answer).toMatchObject({ outcome: 'created' });
    expect(first.lines.map(({ message }) => message)).toEqual([
      'Created the task, or found the one that was created before',
    ]);
  });

  test('logs the code of a refusal', async () => {
    const { answer, lines } = await create({}, refused);
    expect(answer).toMatchObject({ outcome: 'failed', error: { code: 'content_refused' } });
    expect(lines).toMatchObject([{ message: 'Failed to create a task', code: 'content_refused' }]);
  });

  test('logs why Wan refuses the account when the video goes back to its queue', async () => {
    const unknown = () =>
      Response.json({ code: 'InvalidApiKey', message: 'Invalid API-key provided.' }, { status: 401 });
    const { answer, lines } = await create({}, unknown);
    expect(answer).toMatchObject({ outcome: 'settled', held: 'invalid_key' });
    expect(lines).toMatchObject([
      { message: 'Returned the video to its queue: Wan refuses the account', reason: 'invalid_key' },
    ]);
  });

  test('logs that no task was created for a video that has ended', async () => {
    const { answer, lines } = await create({ status: 'canceled' }, unasked);
    expect(answer).toMatchObject({ outcome: 'settled' });
    expect(lines).toMatchObject([{ message: 'Created no task: the video has ended or moved on' }]);
  });
});

test('whatever function ends a video sees to what follows', async () => {
  const measured: unknown[] = [];
  const video = aVideo({ status: 'submitting', run: 1 }, now);
  await createVideo(store.table, video);
  const platform = aPlatform(store.table, { measure: (name, _value, by) => measured.push([name, by]) });
  const handler = composeRecordFailure(dispatching, platform);
  const lines = await linesOf(() =>
    handler({ id: video.id, run: 1, error: { Error: 'WanThrottled', Cause: '' } }, context),
  );
  expect(lines).toMatchObject([
    { message: 'Received a failure', code: 'WanThrottled' },
    { message: 'Recorded the failure', video_id: video.id },
  ]);
  expect(measured).toEqual([['Failed', { code: 'rate_limited' }]]);
});

test.each([
  ['went back to its queue', { status: 'submitting' }, 'Returned the video to its queue'],
  ['was canceled', { status: 'canceled' }, 'Recorded no failure: the video has ended or moved on'],
] as const)('record-failure logs no failure of a video that %s', async (_, given, message) => {
  const video = aVideo({ run: 1, ...given }, now);
  await createVideo(store.table, video);
  const handler = composeRecordFailure(dispatching, aPlatform(store.table, {}));
  const error = { Error: 'SubmissionFenced', Cause: '' };
  const lines = await linesOf(() => handler({ id: video.id, run: 1, error }, context));
  expect(lines).toMatchObject([{ message: 'Received a failure' }, { message }]);
});
