import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { finishVideos } from '../../../functions/drops/write-result.ts';
import { withStatusHook } from '../../../functions/entries/on-status-changed.ts';
import type { Platform } from '../../../functions/entries/platform.ts';
import { idsInStatus } from '../../../functions/queue/waiting.ts';
import type { RecordMetric } from '../../../functions/shared/metrics.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import { readItem, type Table } from '../../../functions/video/table.ts';
import { viewOf } from '../../../functions/video/view.ts';
import { explainEnding } from '../../../functions/wan/failures.ts';
import { type ArchiveServices, archiveVideo, deleteLeftovers } from '../../../functions/workflow/archive-video.ts';
import { copyAndVerify } from '../../../functions/workflow/verify-video.ts';
import { type RunningS3, serve } from '../../../local/aws/s3/s3.ts';
import { startTable } from '../../support/table.ts';
import { aDeployment, aTask, aVideo, storedInput } from '../../support/videos.ts';
import { c2paBox, ffmpegFile, h264, movingImage } from '../media/support.ts';
import { crashAfter, crashingTable } from './support.ts';

const bucket = 'videos';
const store = startTable();
let storage: RunningS3;
let s3: S3Client;
let mp4: Buffer;
let wanStorage: Server;
let answer: RequestListener;
let downloads = 0;
let measured: string[] = [];
let failures: Parameters<ArchiveServices['onDownloadFailed']>[0][] = [];
let logged: unknown[][] = [];
const recordMetric: RecordMetric = (name, _value, dimensions) =>
  measured.push([name, ...Object.values(dimensions ?? {})].join(' '));
const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-archive-'));

beforeAll(async () => {
  mp4 = await ffmpegFile('video.mp4', ...movingImage('832x480', 5), ...h264, '-movflags', '+faststart');
  storage = await serve({ directory, now: Date.now, secretOf: () => 'local', onObjectEvent: async () => undefined });
  await storage.createBucket(bucket, { versioned: true });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = new S3Client({ endpoint: storage.endpoint, region: 'us-east-1', credentials });
  wanStorage = createServer((request, response) => {
    downloads++;
    answer(request, response);
  });
  await new Promise<void>((resolve) => wanStorage.listen(0, '127.0.0.1', () => resolve()));
});
afterAll(async () => {
  s3.destroy();
  wanStorage.close();
  await storage.close();
  await rm(directory, { recursive: true, force: true });
});
const whole: RequestListener = (_, response) =>
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': mp4.length }).end(mp4);
beforeEach(() => {
  answer = whole;
  downloads = 0;
  measured = [];
  failures = [];
  logged = [];
});

const origin = () => `http://127.0.0.1:${(wanStorage.address() as AddressInfo).port}`;

async function archiving(given: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const task = aTask({ status: 'SUCCEEDED' });
  const video = aVideo({
    status: 'archiving',
    run: 1,
    task,
    usage: { duration: 5, SR: 480, video_count: 1 },
    ...given,
  });
  await createVideo(store.table, video);
  return video;
}

/** A table whose hook deletes the leftovers of a succeeded video, as that of the deployed function. */
const withFollowUp = (table: Table, client: S3Client): Table =>
  withStatusHook(
    table,
    { s3: client, publish: async () => undefined, recordMetric: () => undefined, logger: silent },
    { deleteLeftovers: (id, archived) => deleteLeftovers(client, id, archived) },
  );
const silent = { error: () => undefined } as unknown as Platform['logger'];

/** The part of the sweep that finishes ended videos. */
const sweepEnded = () =>
  finishVideos({
    table: store.table,
    s3,
    copyVideo: false,
    publish: async () => undefined,
    deleteLeftovers: (id, archived) => deleteLeftovers(s3, id, archived),
  });

async function pendingIds(): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of idsInStatus(store.table, 'unfinished')) ids.push(id);
  return ids;
}

function services(
  url = `${origin()}/video.mp4?Signature=secret`,
  given: Partial<ArchiveServices> = {},
  copyingWith: { videoHosts?: readonly string[]; fetch?: typeof fetch } = {},
): ArchiveServices {
  const copying = {
    s3,
    bucket,
    fetch,
    videoHosts: [],
    trustedOrigins: [origin()],
    now: Date.now,
    recordMetric,
    logger: { error: (...line: unknown[]) => logged.push(line) },
    ...copyingWith,
  };
  return {
    table: withFollowUp(store.table, s3),
    s3,
    bucket,
    wan: { queryTask: async (task_id) => ({ outcome: 'task', status: 'SUCCEEDED', task_id, video_url: url }) },
    deployment: aDeployment(),
    copyAndVerify: (video, videoUrl, key) => copyAndVerify(copying, video, videoUrl, key),
    onDownloadFailed: (failure) => failures.push(failure),
    ...given,
  };
}

const versionsOf = async ({ id }: VideoRecord) =>
  (await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${id}/` }))).Versions ?? [];
/** All versions of all objects of a video. */
const filesOf = async (video: VideoRecord) => (await versionsOf(video)).map(({ Key }) => Key).sort();
/** The MP4 that a record names, and its metadata. */
const pairOf = ({ video }: VideoRecord) => [video!.key.replace(/mp4$/, 'json'), video!.key];
const read = async (key: string) =>
  (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))).Body!.transformToString();

test('archives a video byte for byte, and records its properties', async () => {
  const video = await archiving();
  await archiveVideo(services(), video);
  const record = (await readVideo(store.table, video.id))!;
  const sha256 = createHash('sha256').update(mp4).digest('hex');
  expect(record).toMatchObject({
    status: 'succeeded',
    video: {
      bucket,
      key: `${video.id}/1-1.mp4`,
      bytes: mp4.length,
      sha256,
      content_type: 'video/mp4',
      duration_seconds: 5,
      width: 832,
      height: 480,
      fps: 30,
    },
    cost: { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5 },
  });
  const object = { Bucket: bucket, Key: record.video!.key };
  const stored = await s3.send(new GetObjectCommand(object));
  expect(
    createHash('sha256')
      .update(await stored.Body!.transformToByteArray())
      .digest('hex'),
  ).toBe(sha256);
  const head = await s3.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }));
  expect(head).toMatchObject({
    ContentType: 'video/mp4',
    ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
  });
  expect(JSON.stringify(record)).not.toContain('secret');
});

describe('an incomplete download is deleted, and only the download is repeated', () => {
  test.each<[string, RequestListener]>([
    [
      'half the file',
      (_, response) =>
        response
          .writeHead(200, { 'content-length': mp4.length })
          .write(mp4.subarray(0, 9000), () => response.destroy()),
    ],
    [
      'an error page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html', 'content-length': 5 }).end('sorry'),
    ],
    ['an expired link', (_, response) => response.writeHead(403).end()],
    [
      'a part',
      (_, response) =>
        response.writeHead(206, { 'content-range': `bytes 0-8999/${mp4.length}` }).end(mp4.subarray(0, 9000)),
    ],
    [
      'half the file in chunks',
      (_, response) => response.writeHead(200).write(mp4.subarray(0, 9000), () => response.destroy()),
    ],
    ['nothing', (_, response) => response.destroy()],
  ])('%s', async (_, broken) => {
    const video = await archiving();
    answer = broken;
    const failing = archiveVideo(services(), video);
    await expect(failing).rejects.toThrow(expect.objectContaining({ name: 'ArchiveInterrupted' }));
    await expect(failing).rejects.not.toThrow('secret');
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'archiving' });
    expect(await filesOf(video)).toEqual([]);
    answer = whole;
    await archiveVideo(services(), video);
    expect(await readVideo(store.table, video.id)).toMatchObject({
      status: 'succeeded',
      video: { key: `${video.id}/1-2.mp4` },
    });
    expect(await filesOf(video)).toEqual([`${video.id}/1-2.json`, `${video.id}/1-2.mp4`]);
  });

  test.each<[string, RequestListener]>([
    [
      'half the file with a matching length',
      (_, response) => response.writeHead(200, { 'content-length': 9000 }).end(mp4.subarray(0, 9000)),
    ],
    ['another file', (_, response) => response.writeHead(200, { 'content-length': 5 }).end('sorry')],
  ])('fails as broken when three downloads are equal and no video: %s', async (_, broken) => {
    const video = await archiving();
    answer = broken;
    const failing = archiveVideo(services(), video);
    await expect(failing).rejects.toThrow(expect.objectContaining({ name: 'VideoBroken' }));
    expect(downloads).toBe(3);
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'archiving' });
    expect(await filesOf(video)).toEqual([]);
    answer = whole;
    await archiveVideo(services(), video);
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'succeeded' });
  });

  test('a broken file followed by a complete one is only interrupted', async () => {
    const video = await archiving();
    answer = (request, response) =>
      downloads === 1 ? response.writeHead(200, { 'content-length': 5 }).end('sorry') : whole(request, response);
    await expect(archiveVideo(services(), video)).rejects.toThrow(
      expect.objectContaining({ name: 'ArchiveInterrupted' }),
    );
    expect(await filesOf(video)).toEqual([]);
  });
});

describe('a complete video of another duration', () => {
  const odd = { usage: { duration: 10 }, parameters: { resolution: '480P' as const, duration: 10 } };

  test('is kept with a warning when every download is equal', async () => {
    const video = await archiving(odd);
    await archiveVideo(services(), video);
    expect(downloads).toBe(3);
    const record = (await readVideo(store.table, video.id))!;
    expect(record).toMatchObject({
      status: 'succeeded',
      video: { duration_seconds: 5, bytes: mp4.length },
      warnings: [{ pointer: '/parameters/duration', code: 'unexpected_duration' }],
    });
    expect(record.warnings[0]?.message).toContain('5 s long; 10 s were requested, and Wan bills 10 s');
    expect(record.warnings[0]?.message).toContain('every download had the same bytes');
    expect(await filesOf(video)).toEqual(pairOf(record));
  });

  test('is downloaded again when another download differs', async () => {
    const video = await archiving(odd);
    answer = (request, response) => (downloads === 2 ? response.destroy() : whole(request, response));
    await expect(archiveVideo(services(), video)).rejects.toThrow('5 s long instead of 10 s');
    expect(await filesOf(video)).toEqual([]);
  });

  test.each([
    ['billed', { usage: { duration: 5 }, parameters: { resolution: '480P' as const, duration: 10 } }],
    ['requested', { usage: { duration: 10 }, parameters: { resolution: '480P' as const, duration: 5 } }],
  ])('is accepted immediately, with a warning, when it is as long as %s', async (_, given) => {
    const video = await archiving(given);
    await archiveVideo(services(), video);
    expect(downloads).toBe(1);
    const record = (await readVideo(store.table, video.id))!;
    expect(record).toMatchObject({ status: 'succeeded', warnings: [{ code: 'unexpected_duration' }] });
    expect(record.warnings[0]?.message).not.toContain('every download');
  });
});

describe('archives a video that arrives in another form, and verifies it', () => {
  test.each<[string, RequestListener]>([
    ['chunks without a length', (_, response) => response.writeHead(200).end(mp4)],
    ['gzip', (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(mp4))],
    [
      'a 206 of the whole file',
      (_, response) =>
        response
          .writeHead(206, { 'content-range': `bytes 0-${mp4.length - 1}/${mp4.length}`, 'content-length': mp4.length })
          .end(mp4),
    ],
    [
      'a redirect to a trusted host',
      (request, response) =>
        request.url?.includes('elsewhere')
          ? whole(request, response)
          : response.writeHead(302, { location: `${origin()}/elsewhere.mp4?Signature=secret` }).end(),
    ],
  ])('%s', async (_, listener) => {
    const video = await archiving();
    answer = listener;
    await archiveVideo(services(), video);
    expect(await readVideo(store.table, video.id)).toMatchObject({
      status: 'succeeded',
      warnings: [],
      video: { bytes: mp4.length, sha256: createHash('sha256').update(mp4).digest('hex') },
    });
    expect(failures).toEqual([]);
  });

  test.each<[string, RequestListener]>([
    [
      'a complete transfer of half the file in chunks',
      (_, response) => response.writeHead(200).end(mp4.subarray(0, 9000)),
    ],
    [
      'a complete transfer of half the file in gzip',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(mp4.subarray(0, 9000))),
    ],
  ])('but not %s', async (_, listener) => {
    const video = await archiving();
    answer = listener;
    await expect(archiveVideo(services(), video)).rejects.toThrow(expect.objectContaining({ name: 'VideoBroken' }));
    expect(await filesOf(video)).toEqual([]);
  });
});

describe('a failed download', () => {
  const fail = async (video: VideoRecord) =>
    archiveVideo(services(), (await readVideo(store.table, video.id))!).then(
      () => undefined,
      () => failures.at(-1),
    );

  test.each<[string, string, RequestListener]>([
    ['partial', 'a part', (_, response) => response.writeHead(206, { 'content-range': 'bytes 0-1/9' }).end('ab')],
    ['too_large', 'a huge file', (_, response) => response.writeHead(200, { 'content-length': 2 ** 40 }).write('x')],
    ['redirected', 'a redirect to nowhere', (_, response) => response.writeHead(302).end()],
    ['not_mp4', 'the same page three times', (_, response) => response.writeHead(200).end('sorry')],
  ])('that repetition cannot fix is reported as %s immediately: %s', async (kind, _, listener) => {
    const video = await archiving();
    answer = listener;
    expect(await fail(video)).toEqual({ kind, reason: expect.stringContaining(kind), downloads: 1, persists: true });
    const { warnings, status } = (await readVideo(store.table, video.id))!;
    expect([status, warnings]).toEqual([
      'archiving',
      [{ pointer: '', code: 'download_failing', message: expect.stringContaining(`(${kind})`) }],
    ]);
    await fail(video);
    expect((await readVideo(store.table, video.id))!.warnings).toHaveLength(1);
    answer = whole;
    await archiveVideo(services(), (await readVideo(store.table, video.id))!);
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'succeeded', warnings: [] });
  });

  test.each<[string, RequestListener]>([
    ['url_expired', (_, response) => response.writeHead(403).end()],
    ['not_found', (_, response) => response.writeHead(404).end()],
    ['wrong_type', (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('sorry')],
    ['download_failed', (_, response) => response.writeHead(503).end()],
    [
      'interrupted',
      (_, response) => response.writeHead(200, { 'content-length': 9 }).write('a', () => response.destroy()),
    ],
  ])(
    'that may pass is reported as %s after half an hour, long before Wan deletes the video',
    async (kind, listener) => {
      const video = await archiving();
      answer = listener;
      for (let downloads = 1; downloads <= 12; downloads++)
        expect(await fail(video)).toMatchObject({ kind, downloads, persists: downloads === 12 });
      expect((await readVideo(store.table, video.id))!.warnings).toMatchObject([{ code: 'download_failing' }]);
    },
  );

  test('a redirect to an untrusted host is not followed, and reported with the host', async () => {
    const video = await archiving();
    answer = (_, response) =>
      response.writeHead(302, { location: 'https://evil.example/v.mp4?Signature=secret' }).end();
    await expect(archiveVideo(services(), video)).rejects.toThrow(
      expect.objectContaining({ name: 'UntrustedVideoHost', message: expect.stringContaining('host evil.example. ') }),
    );
    expect(measured).toEqual(['UntrustedVideoHost evil.example']);
    expect(downloads).toBe(1);
  });
});

test('does not fetch a file larger than any video', async () => {
  const video = await archiving();
  answer = (_, response) => response.writeHead(200, { 'content-length': 513 * 1024 * 1024 }).write('x');
  await expect(archiveVideo(services(), video)).rejects.toThrow('too_large');
  expect(await filesOf(video)).toEqual([]);
});

test('queries Wan for a new link before each download', async () => {
  const video = await archiving();
  answer = (request, response) =>
    request.url?.includes('old') ? response.writeHead(403).end() : whole(request, response);
  const links = ['old', 'new'];
  const queryTask = async (task_id: string) =>
    ({ outcome: 'task', status: 'SUCCEEDED', task_id, video_url: `${origin()}/video.mp4?${links.shift()}` }) as const;
  const retrying = services(undefined, { wan: { queryTask } });
  await expect(archiveVideo(retrying, video)).rejects.toThrow('url_expired');
  await archiveVideo(retrying, video);
  expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'succeeded' });
});

test('warns about unexpected properties', async () => {
  const image = { bucket: 'b', key: 'k', content_type: 'image/png', bytes: 1, width: 1000, height: 1000 };
  const video = await archiving(storedInput({ image }));
  await archiveVideo(services(), video);
  expect(await readVideo(store.table, video.id)).toMatchObject({
    status: 'succeeded',
    warnings: [{ code: 'unexpected_size' }],
  });
});

test.each([
  ['http://169.254.169.254/video.mp4', '169.254.169.254'],
  ['https://evil.example:8443/secret/video.mp4?Signature=secret', 'evil.example:8443'],
  ['https://user:secret@evil.example/video.mp4', 'evil.example'],
  ['file:///etc/secret', 'unknown (not an http URL)'],
  ['secret', 'unknown (not an http URL)'],
  [
    'https://dashscope-result-sh.oss-cn-shanghai.aliyuncs.com.evil.example/v.mp4?Signature=secret',
    'dashscope-result-sh.oss-cn-shanghai.aliyuncs.com.evil.example',
  ],
])('fetches nothing from %s', async (url, host) => {
  const video = await archiving();
  const refused = archiveVideo(services(url), video);
  await expect(refused).rejects.toThrow(
    expect.objectContaining({ name: 'UntrustedVideoHost', message: expect.stringContaining(`host ${host}. `) }),
  );
  await expect(refused).rejects.not.toThrow('secret');
  expect(measured).toEqual([`UntrustedVideoHost ${host}`]);
  expect(logged).toEqual([['Refused to download a video from an untrusted host', { host }]]);
  expect(downloads).toBe(0);
  expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'archiving' });
});

test('downloads over HTTPS once the setting contains the host', async () => {
  const video = await archiving();
  const link = 'http://new-results.oss-cn-beijing.aliyuncs.com/video.mp4?Signature=a%2Bb';
  await expect(archiveVideo(services(link), video)).rejects.toThrow(
    expect.objectContaining({ name: 'UntrustedVideoHost' }),
  );
  const requested: string[] = [];
  const fetched: typeof fetch = (url, options) => {
    requested.push(String(url));
    return fetch(`${origin()}/video.mp4`, options);
  };
  const trusting = { videoHosts: ['new-results.oss-cn-beijing.aliyuncs.com'], fetch: fetched };
  await archiveVideo(services(link, {}, trusting), video);
  expect(requested).toEqual([link.replace('http:', 'https:')]);
  expect(measured).toEqual(['UntrustedVideoHost new-results.oss-cn-beijing.aliyuncs.com']);
  expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'succeeded' });
});

test.each([
  [{ outcome: 'throttled', code: 'Throttling', message: '', retryable: true, billed: false } as const, 'WanThrottled'],
  [{ outcome: 'unavailable', cause: 'http_502', retryable: true, billed: false } as const, 'WanUnavailable'],
  [{ outcome: 'task', status: 'UNKNOWN', task_id: 'task-1' } as const, 'TaskUnknown'],
])('retries when Wan returns no link (%j)', async (news, name) => {
  const video = await archiving();
  const archive = archiveVideo(services('', { wan: { queryTask: async () => news } }), video);
  await expect(archive).rejects.toThrow(expect.objectContaining({ name }));
  expect(downloads).toBe(0);
});

test('two concurrent archives leave one file, the one in the record', async () => {
  const video = await archiving();
  await Promise.all(Array.from({ length: 4 }, () => archiveVideo(services(), video)));
  const record = (await readVideo(store.table, video.id))!;
  expect(record.status).toBe('succeeded');
  expect(await filesOf(video)).toEqual(pairOf(record));
});

test('leaves one complete file after a crash between any two writes', async () => {
  for (let point = 1; ; point++) {
    const video = await archiving();
    const copy = services();
    // A file of an earlier download that no record names.
    const { through } = crashAfter(1);
    await archiveVideo(
      { ...copy, copyAndVerify: (...args) => through(() => copy.copyAndVerify(...args)) },
      video,
    ).catch(() => undefined);
    expect(await filesOf(video)).toEqual([`${video.id}/1-1.mp4`]);
    const crashing = crashAfter(point);
    const dyingS3 = { send: (command: never) => crashing.through(() => s3.send(command)) } as unknown as S3Client;
    const dying: ArchiveServices = {
      ...copy,
      table: withFollowUp(crashingTable(store.table, crashing), dyingS3),
      copyAndVerify: (...args) => crashing.through(() => copy.copyAndVerify(...args)),
      s3: dyingS3,
    };
    await archiveVideo(dying, video).catch(() => undefined);
    if (!crashing.died) {
      expect(point).toBeGreaterThan(6);
      return;
    }
    await archiveVideo(services(), video);
    await sweepEnded();
    const record = (await readVideo(store.table, video.id))!;
    expect({ point, status: record.status }).toEqual({ point, status: 'succeeded' });
    expect({ point, files: await filesOf(video) }).toEqual({ point, files: pairOf(record) });
    expect({ point, pending: await pendingIds() }).toEqual({ point, pending: [] });
  }
});

test("stores the API's view of the video next to the MP4", async () => {
  const video = await archiving({
    error: explainEnding('video_broken'),
  });
  let moment = Date.parse('2026-01-01T00:05:00Z');
  const table = { ...store.table, now: () => moment++ };
  await archiveVideo(services(undefined, { table }), video);
  const record = (await readVideo(store.table, video.id))!;
  const [key = ''] = pairOf(record);
  expect(JSON.parse(await read(key))).toEqual({
    ai_generated: true,
    ...JSON.parse(JSON.stringify(viewOf(record, moment))),
  });
  expect(record.timeline.at(-1)?.status).toBe('succeeded');
  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  expect(head.ContentType).toBe('application/json');
});

test('archives the marks of AI-generated content byte for byte, and records them', async () => {
  const marked = Buffer.concat([mp4, c2paBox]);
  answer = (_, response) =>
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': marked.length }).end(marked);
  const { id, parameters } = await archiving();
  const video = await archiving({ parameters: { ...parameters, watermark: true } });
  await archiveVideo(services(), { id: video.id, run: 1 });
  const record = (await readVideo(store.table, video.id))!;
  expect(record.video).toMatchObject({
    sha256: createHash('sha256').update(marked).digest('hex'),
    provenance: { c2pa: true, aigc_label: false, watermark: true },
  });
  const expected = { 'ai-generated': 'true', model: record.model, 'task-time': record.task!.submit_time };
  for (const Key of [record.video!.key, record.video!.key.replace('.mp4', '.json')]) {
    expect((await s3.send(new HeadObjectCommand({ Bucket: bucket, Key }))).Metadata).toEqual(expected);
  }
  answer = whole;
  await archiveVideo(services(), { id, run: 1 });
  expect((await readVideo(store.table, id))?.video?.provenance).toEqual({
    c2pa: false,
    aigc_label: false,
    watermark: false,
  });
});

test('with a retention time, record and metadata have the same end of it, and the record expires 30 days later', async () => {
  const { id } = await archiving();
  const table = { ...store.table, videoRetentionDays: 90 };
  await archiveVideo({ ...services(), table }, { id, run: 1 });
  const record = (await readVideo(store.table, id))!;
  const end = Date.parse(record.updated_at) + 90 * 24 * 3600_000;
  expect(record.expires_at).toBe(new Date(end).toISOString());
  const metadata = new GetObjectCommand({ Bucket: bucket, Key: record.video!.key.replace('.mp4', '.json') });
  expect(JSON.parse(await (await s3.send(metadata)).Body!.transformToString())).toEqual({
    ai_generated: true,
    ...viewOf(record, Date.now()),
  });
  const item = await readItem(store.table, id);
  expect(item?.ttl).toBe(Math.ceil(end / 1000) + 30 * 24 * 3600);
});

test('fails as interrupted when the metadata cannot be stored; the next archive leaves one pair', async () => {
  const video = await archiving();
  const send = (command: { input: { Key?: string; ContentType?: string } }) =>
    command.input.ContentType === 'application/json'
      ? Promise.reject(Object.assign(new Error('SlowDown'), { name: 'SlowDown' }))
      : s3.send(command as never);
  await expect(archiveVideo(services(undefined, { s3: { send } as never }), video)).rejects.toThrow(
    expect.objectContaining({ name: 'ArchiveInterrupted' }),
  );
  expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'archiving' });
  await archiveVideo(services(), video);
  expect(await filesOf(video)).toEqual(pairOf((await readVideo(store.table, video.id))!));
});

test('keeps other objects of a video, and deletes all versions of its other downloads', async () => {
  const video = await archiving();
  const put = (name: string) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${video.id}/${name}`, Body: 'other' }));
  for (const name of ['notes.json', 'cut.mp4', '0-1.mp4', '0-1.json']) await put(name);
  // PutObject calls whose responses were lost, and their repetitions.
  for (const name of ['1-1.json', '1-1.json', '1-1.mp4']) await put(name);
  await archiveVideo(services(), video);
  const record = (await readVideo(store.table, video.id))!;
  expect(await filesOf(video)).toEqual([...pairOf(record), `${video.id}/cut.mp4`, `${video.id}/notes.json`]);
  expect((await versionsOf(video)).find(({ Key }) => Key === record.video!.key)?.VersionId).toBe(
    record.video!.version_id,
  );
  expect(JSON.parse(await read(pairOf(record)[0]!))).toMatchObject({ id: video.id });
});

test('deletes its own objects when the video is deleted during the archive', async () => {
  const video = await archiving();
  const other = `${video.id}/9-9.mp4`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: other, Body: 'other' }));
  const send = async (command: { input: { ContentType?: string } }) => {
    // Right before the status is written.
    if (command.input.ContentType === 'application/json')
      expect(await replaceWithTombstone(store.table, (await readVideo(store.table, video.id))!)).toBe(true);
    return s3.send(command as never);
  };
  await archiveVideo(services(undefined, { s3: { send } as never }), video);
  expect(await filesOf(video)).toEqual([other]);
  expect(await readVideo(store.table, video.id)).toBeUndefined();
});
