import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { composeSweep } from '../../../functions/entries/maintenance.ts';
import type { Platform } from '../../../functions/entries/platform.ts';
import {
  composeArchiveVideo,
  composeCheckTask,
  composeCreateTask,
  composeRecordFailure,
  composeWatch,
} from '../../../functions/entries/workflow.ts';
import { readWait, waitFor } from '../../../functions/polling/wait-item.ts';
import { acquireLease } from '../../../functions/polling/watcher-lease.ts';
import { distrustHost, trustHost } from '../../../functions/video/catalogue-changes.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import { viewOf } from '../../../functions/video/view.ts';
import { startS3 } from '../../local/s3/support/start-s3.ts';
import { startTable } from '../../support/table.ts';
import { aTask, aVideo } from '../../support/videos.ts';
import { aContext, linesOf } from '../log-lines.ts';
import { ffmpegFile, h264, movingImage } from '../media/support.ts';
import { writeToken } from '../polling/write-token.ts';
import { aPlatform } from './platform.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const store = startTable(() => now);
let mp4: Buffer;
beforeAll(async () => {
  mp4 = await ffmpegFile('video.mp4', ...movingImage('832x480', 5), ...h264, '-movflags', '+faststart');
});

const wan = {
  WAN_BASE_URL: 'https://dashscope-intl.aliyuncs.com/api/v1',
  WAN_SECRET_ARN: 'arn:secret',
  WAN_REGION: 'singapore',
  MODEL_PRICES: {},
  WATERMARK: 'requested',
  CATALOGUE: {},
  WAN_QUERIES_PER_SECOND: 10,
} as const;
const dispatching = {
  TABLE_NAME: 'videos',
  EVENT_BUS_NAME: 'videos',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:0:stateMachine:videos',
  LIMIT_SETTINGS: { extra_permits: 0, models: {} },
  CATALOGUE: {},
};
const creating = {
  ...wan,
  ...dispatching,
  UPLOADS_BUCKET: 'uploads',
  IMAGE_TRANSFER: 'url',
  TYPICAL_SECONDS: undefined,
  UNCERTAIN_SECONDS: 120,
  WATCHER_ARN: 'arn:aws:lambda:us-east-1:0:function:watch:live',
  MONTHLY_SPENDING_LIMIT: undefined,
} as const;
const archivingIn = {
  ...wan,
  TABLE_NAME: 'videos',
  EVENT_BUS_NAME: 'videos',
  VIDEOS_BUCKET: 'videos',
  TRUSTED_ORIGINS: ['https://videos.test'],
  VIDEO_HOSTS: [],
  COPY_VIDEO_TO_DROP: false,
  VIDEO_RETENTION_DAYS: 90,
};
const task = aTask({ status: 'SUCCEEDED' });
const context = aContext('r1');

describe('archive-video', () => {
  const link = 'https://videos.test/v.mp4';

  async function archive(
    given: Parameters<typeof aVideo>[0],
    video_url = link,
    download = () => new Response(new Uint8Array(mp4), { headers: { 'content-length': String(mp4.length) } }),
  ) {
    const s3 = await startS3({ buckets: { videos: { versioned: true } } });
    const measured: string[] = [];
    const output = { task_id: 'task-1', task_status: 'SUCCEEDED', video_url };
    const platform = aPlatform(store.table, {
      s3: s3.sdk,
      recordMetric: (name, _value, dimensions = {}) => measured.push([name, ...Object.values(dimensions)].join(' ')),
      fetch: async (url) => (String(url).startsWith(wan.WAN_BASE_URL) ? Response.json({ output }) : download()),
    });
    const video = aVideo({ run: 1, task, ...given }, now);
    await createVideo(store.table, video);
    const handler = composeArchiveVideo(archivingIn, platform);
    let answer: unknown;
    const lines = await linesOf(async () => {
      answer = await handler({ id: video.id, run: 1 }, context).catch((error: unknown) => error);
    });
    return { answer, lines, measured, video };
  }

  test('reports a download that repetition cannot fix in a metric and with its reason in the log', async () => {
    const part = () => new Response('ab', { status: 206, headers: { 'content-range': 'bytes 0-1/9' } });
    const { answer, lines, measured, video } = await archive({ status: 'archiving' }, link, part);
    expect(answer).toMatchObject({ name: 'ArchiveInterrupted' });
    expect(measured).toContain('DownloadBlocked partial');
    expect(lines).toMatchObject([
      {
        level: 'ERROR',
        message: 'A download failed, and repetition is not expected to help',
        kind: 'partial',
        reason: expect.stringContaining('partial'),
        downloads: 1,
        video_id: video.id,
      },
      { code: 'ArchiveInterrupted' },
    ]);
  });

  test('only logs a failed download that may pass', async () => {
    const { lines, measured } = await archive({ status: 'archiving' }, link, () => new Response('', { status: 503 }));
    expect(measured).not.toContainEqual(expect.stringMatching(/^DownloadBlocked/));
    expect(lines[0]).toMatchObject({
      level: 'WARN',
      message: 'A download failed; will retry',
      kind: 'download_failed',
    });
  });

  test('archives a video, logs it, and runs the ended hook', async () => {
    const { answer, lines, measured, video } = await archive({ status: 'archiving' });
    expect(answer).toEqual({ id: video.id, run: 1, outcome: 'archived' });
    expect(lines).toMatchObject([{ message: 'Archived the video', video_id: video.id, run: 1 }]);
    expect(measured.map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(['Succeeded', 'SecondsToFinish']),
    );
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'succeeded', video: { bucket: 'videos' } });
  });

  test('archives a video from a host that an operator trusts meanwhile', async () => {
    const elsewhere = link.replace('videos.test', 'other.videos.test');
    const failed = {
      answer: expect.objectContaining({ name: 'UntrustedVideoHost' }),
      lines: expect.arrayContaining([expect.objectContaining({ host: 'other.videos.test' })]),
    };
    expect(await archive({ status: 'archiving' }, elsewhere)).toMatchObject(failed);
    await trustHost(store.table, 'other.videos.test');
    expect(await archive({ status: 'archiving' }, elsewhere)).toMatchObject({ answer: { outcome: 'archived' } });
    await distrustHost(store.table, 'other.videos.test');
    expect(await archive({ status: 'archiving' }, elsewhere)).toMatchObject(failed);
  });

  test.each([{ status: 'canceled' }, { status: 'archiving', run: 2 }, { status: 'running' }] as const)(
    'logs that nothing was archived for a video with %j',
    async (given) => {
      const { answer, lines, video } = await archive(given);
      expect(answer).toEqual({ id: video.id, run: 1, outcome: 'settled' });
      expect(lines).toMatchObject([{ message: 'Archived no video: its status or run has changed' }]);
      expect(await readVideo(store.table, video.id)).toMatchObject(given);
    },
  );
});

describe('check-task', () => {
  test.each([
    ['SUSPENDED', 'SUSPENDED'],
    ['QUEUED', 'QUEUED'],
    ['waiting for https://example.com', 'other'],
  ])('reports the undocumented status %s in the log and in a metric, at the first time', async (status, dimension) => {
    const measured: unknown[] = [];
    const platform = aPlatform(store.table, {
      recordMetric: (...metric) => measured.push(metric),
      fetch: async () => Response.json({ output: { task_id: 'task-1', task_status: status } }),
    });
    const video = aVideo({ status: 'running', run: 1, task: aTask() }, now);
    await createVideo(store.table, video);
    const handler = composeCheckTask(
      { ...wan, ...dispatching, TYPICAL_SECONDS: undefined, VIDEO_RETENTION_DAYS: undefined },
      platform,
    );
    const lines = await linesOf(async () => {
      await handler({ id: video.id, run: 1 }, context);
    });
    expect(lines[0]).toMatchObject({
      level: 'ERROR',
      message: 'Received an undocumented task status',
      video_id: video.id,
    });
    expect(measured).toContainEqual(['UnknownTaskStatus', 1, { status: dimension }]);
  });
});

describe('create-task', () => {
  async function create(
    given: Parameters<typeof aVideo>[0],
    response: typeof fetch,
    startWatcher: (command: { input: unknown }) => Promise<object> = async () => ({}),
    key = 'sk-test',
  ) {
    const video = aVideo({ status: 'submitting', run: 1, ...given }, now);
    await createVideo(store.table, video);
    const lambda = { send: startWatcher };
    const secrets = { send: async () => ({ SecretString: key }) } as unknown as Platform['secrets'];
    const handler = composeCreateTask(creating, aPlatform(store.table, { fetch: response, lambda, secrets }));
    let answer: unknown;
    const lines = await linesOf(async () => {
      answer = await handler({ id: video.id, run: 1 }, context);
    });
    return { answer, lines };
  }
  const created = async () => Response.json({ output: { task_id: randomUUID(), task_status: 'PENDING' } });
  const refused = async () =>
    Response.json(
      { code: 'DataInspectionFailed', message: 'Input data may contain inappropriate content.' },
      { status: 400 },
    );
  const notCalled = async (): Promise<Response> => {
    throw new Error('Wan was called.');
  };

  test('logs a created task only when it exists', async () => {
    const first = await create({}, created);
    expect(first.answer).toMatchObject({ outcome: 'created' });
    expect(first.lines.map(({ message }) => message)).toEqual(['Created the task, or found an existing one']);
  });

  test('reuses no connection', async () => {
    const sent: string[] = [];
    await create({}, async (_url, options) => {
      sent.push(new Headers(options?.headers).get('connection') ?? 'none');
      return created();
    });
    expect(sent).toEqual(['close']);
  });

  test('starts a watcher asynchronously when no watcher is alive, and creates the task even if that fails', async () => {
    const started: unknown[] = [];
    await create({}, created, async ({ input }) => {
      started.push(input);
      return {};
    });
    expect(started).toEqual([
      {
        FunctionName: 'arn:aws:lambda:us-east-1:0:function:watch:live',
        InvocationType: 'Event',
        Payload: '{"startedBy":"create-task"}',
      },
    ]);
    const { answer, lines } = await create({}, created, () => Promise.reject(new Error('no concurrency is left')));
    expect(answer).toMatchObject({ outcome: 'created' });
    expect(lines[0]).toMatchObject({
      level: 'ERROR',
      message: 'Could not start a watcher; the schedule will start one within a minute',
    });
  });

  test('logs the error code of a refused task', async () => {
    const { answer, lines } = await create({}, refused);
    expect(answer).toMatchObject({ outcome: 'failed', error: { code: 'content_refused' } });
    expect(lines).toMatchObject([{ message: 'Failed to create a task', code: 'content_refused' }]);
  });

  test('logs why Wan refuses the account when it returns the video to its queue', async () => {
    const unknown = async () =>
      Response.json({ code: 'InvalidApiKey', message: 'Invalid API-key provided.' }, { status: 401 });
    const { answer, lines } = await create({}, unknown);
    expect(answer).toMatchObject({ outcome: 'settled', account_refused: 'invalid_key' });
    expect(lines).toMatchObject([
      { message: 'Returned the video to its queue, because Wan refuses the account', reason: 'invalid_key' },
    ]);
  });

  test('logs what is wrong with the text of the key', async () => {
    const { answer, lines } = await create({}, notCalled, undefined, 'KEY=sk-secret');
    expect(answer).toMatchObject({ outcome: 'settled', account_refused: 'key_has_name' });
    expect(lines).toMatchObject([
      {
        reason: 'key_has_name',
        problem: expect.stringContaining('a name in front of the key'),
        fix: 'Store only the value.',
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain('sk-secret');
  });

  test('logs that no task was created for an ended video', async () => {
    const { answer, lines } = await create({ status: 'canceled' }, notCalled);
    expect(answer).toMatchObject({ outcome: 'settled' });
    expect(lines).toMatchObject([{ message: "Created no task: the video's status or run has changed" }]);
  });
});

describe('watch', () => {
  const token = 'a-token-of-an-execution';
  /** Runs a watcher for an execution whose task has ended. */
  async function watchOnce(send: (command: { input: unknown }) => Promise<object>) {
    const own = startTable(() => at);
    let at = now;
    const id = randomUUID();
    const waiting = { ...aVideo({ id, status: 'running', run: 1 }), task: aTask({ id: randomUUID() }) };
    await writeToken(own.table, token, waitFor(waiting, { now, typicalSeconds: 100 }));
    const platform = aPlatform(own.table, {
      clock: {
        now: () => at,
        async sleep(milliseconds) {
          at += milliseconds;
          if (at > now + 5000) await acquireLease(own.table, 'successor', false);
        },
      },
      stepFunctions: { send } as never,
      fetch: async () =>
        Response.json({ output: { task_id: waiting.task.id, task_status: 'SUCCEEDED', video_url: 'https://x' } }),
    });
    const handler = composeWatch({ ...wan, TABLE_NAME: 'videos' }, platform);
    const lines = await linesOf(() => handler({} as never, context));
    const left = (await readWait(own.table, id))?.token;
    return { lines, left };
  }

  test('ends immediately when another watcher is alive, if CreateTask started it; a scheduled one takes over', async () => {
    const own = startTable(() => now);
    await acquireLease(own.table, 'alive', false);
    const handler = composeWatch({ ...wan, TABLE_NAME: 'videos' }, aPlatform(own.table));
    const reason = async (event: object) => (await linesOf(() => handler(event as never, context)))[0]?.reason;
    expect(await reason({ startedBy: 'create-task' })).toBe('already_running');
    expect(await reason({ source: 'aws.events' })).toBe('nothing_waits');
  });

  test('wakes an execution by its token, with an empty output', async () => {
    const sent: unknown[] = [];
    const { lines, left } = await watchOnce(async ({ input }) => {
      sent.push(input);
      return {};
    });
    expect(sent).toEqual([{ taskToken: token, output: '{}' }]);
    expect(left).toBeUndefined();
    expect(lines).toMatchObject([{ level: 'INFO', message: 'Watcher ended', reason: 'superseded' }]);
  });

  test.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])(
    'treats %s as a stale token and removes it without logging',
    async (name) => {
      const { lines, left } = await watchOnce(() => Promise.reject(Object.assign(new Error(name), { name })));
      expect(left).toBeUndefined();
      expect(lines).toMatchObject([{ message: 'Watcher ended' }]);
    },
  );

  test('keeps a token that could not be sent, and logs the error without the token', async () => {
    const { lines, left } = await watchOnce(() => Promise.reject(new Error('Rate exceeded')));
    expect(left).toBe(token);
    expect(lines[0]).toMatchObject({ level: 'ERROR', message: 'Watcher tick failed; will retry' });
    expect(JSON.stringify(lines)).toContain('Rate exceeded');
    expect(JSON.stringify(lines)).not.toContain(token);
  });
});

describe('a token', () => {
  test('does not appear in events, views or logs of a checked video', async () => {
    const token = 'a-token-of-an-execution';
    const video = aVideo({ status: 'running', run: 1, task: aTask({ id: randomUUID() }) }, now);
    await createVideo(store.table, video);
    const wait = waitFor({ ...video, task: video.task! }, { now, typicalSeconds: 100 });
    await writeToken(store.table, token, wait);
    const fetch = async () =>
      Response.json({ output: { task_id: video.task!.id, task_status: 'FAILED', code: 'x', message: 'y' } });
    const platform = aPlatform(store.table, { fetch });
    const handler = composeCheckTask({ ...wan, ...dispatching, TYPICAL_SECONDS: undefined } as never, platform);
    let output: unknown;
    const lines = await linesOf(async () => {
      output = await handler({ id: video.id, run: 1, wait }, context);
    });
    const record = (await readVideo(store.table, video.id))!;
    expect(lines.length).toBeGreaterThan(0);
    expect(JSON.stringify([lines, output, record, viewOf(record, now), record.timeline])).not.toContain(token);
  });
});

test('sweep records how long executions have waited without a watcher', async () => {
  const own = startTable(() => now + 700_000);
  const waiting = { ...aVideo({ status: 'running', run: 1 }, now), task: aTask() };
  await writeToken(own.table, 'token', waitFor(waiting, { now, typicalSeconds: 100 }));
  const measured: unknown[] = [];
  const platform = aPlatform(own.table, {
    s3: { send: async () => ({}) } as unknown as Platform['s3'],
    recordMetric: (...figure) => measured.push(figure),
  });
  const environment = {
    ...dispatching,
    UPLOADS_BUCKET: 'uploads',
    VIDEOS_BUCKET: 'videos',
    COPY_VIDEO_TO_DROP: false,
    DROP_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/0/drops',
    DROP_RETENTION_DAYS: undefined,
  };
  await composeSweep(environment, platform)({}, context);
  expect(measured).toEqual([['SecondsUnwatched', 700]]);
  await acquireLease(own.table, 'watcher', false);
  await composeSweep(environment, platform)({}, context);
  expect(measured).toHaveLength(1);
});

test('record-failure runs the ended hook', async () => {
  const measured: unknown[] = [];
  const video = aVideo({ status: 'submitting', run: 1 }, now);
  await createVideo(store.table, video);
  const platform = aPlatform(store.table, { recordMetric: (name, _value, by) => measured.push([name, by]) });
  const handler = composeRecordFailure({ ...dispatching, VIDEO_RETENTION_DAYS: 90 }, platform);
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
  ['was returned to its queue', { status: 'submitting' }, 'Returned the video to its queue'],
  ['was canceled', { status: 'canceled' }, "Recorded no failure: the video's status or run has changed"],
] as const)('record-failure logs no failure of a video that %s', async (_, given, message) => {
  const video = aVideo({ run: 1, ...given }, now);
  await createVideo(store.table, video);
  const handler = composeRecordFailure({ ...dispatching, VIDEO_RETENTION_DAYS: 90 }, aPlatform(store.table, {}));
  const error = { Error: 'PromptLocked', Cause: '' };
  const lines = await linesOf(() => handler({ id: video.id, run: 1, error }, context));
  expect(lines).toMatchObject([{ message: 'Received a failure' }, { message }]);
});
