import { randomUUID } from 'node:crypto';
import { CopyObjectCommand, type PutObjectCommand, S3ServiceException } from '@aws-sdk/client-s3';
import type { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectCreated } from '../../../functions/drops/dropped-object.ts';
import { composeDrop } from '../../../functions/entries/drops.ts';
import { composeSweep } from '../../../functions/entries/maintenance.ts';
import type { Platform } from '../../../functions/entries/platform.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { listVideos } from '../../../functions/video/list.ts';
import { changeStatus } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { endAs, get, put } from '../drops/results.ts';
import { aContext, linesOf } from '../log-lines.ts';
import { png } from '../media/support.ts';
import { versionedBuckets } from '../versioned-buckets.ts';
import { aPlatform } from './platform.ts';

let store: Awaited<ReturnType<typeof startTable>>;
let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
/** How much later than now the functions run. */
let later = 0;
beforeAll(async () => {
  buckets = await versionedBuckets();
});
afterAll(() => buckets.close());

const owner = 'drops';
const image = png(400, 380);
const context = aContext('request');
let key: string;
let messages: { DelaySeconds: number; MessageBody: string }[];
let bucket: string;
beforeEach(async () => {
  store = await startTable(() => Date.now() + later);
  bucket = await buckets.addBucket();
  key = `drop/${randomUUID()}.png`;
  [later, messages] = [0, []];
  return store.close;
});

const environment = () => ({
  TABLE_NAME: store.table.tableName,
  EVENT_BUS_NAME: 'videos',
  STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:0:stateMachine:videos',
  LIMIT_SETTINGS: { extra_permits: 0, models: {} },
  UPLOADS_BUCKET: bucket,
  VIDEOS_BUCKET: 'videos',
  WAN_REGION: 'singapore' as const,
  WAN_BASE_URL: 'https://dashscope-intl.aliyuncs.com/api/v1',
  MODEL_PRICES: {},
  WATERMARK: 'requested' as const,
  CATALOGUE: {},
  TRUSTED_ORIGINS: [],
  ROTATED_IMAGES: 'accept' as const,
  MONTHLY_SPENDING_LIMIT: undefined,
  DROP_DEFAULTS: { owner, model: 'wan2.2-i2v-flash', prompt: 'It comes to life.' },
  DROP_RULES: { sidecar_seconds: 0, owners: 'one' as const },
  DROP_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/0/drops',
  COPY_VIDEO_TO_DROP: true,
  LOOPBACK_WEBHOOKS: false,
  VIDEO_RETENTION_DAYS: undefined,
  DROP_RETENTION_DAYS: undefined,
});
const platform = (s3: Pick<Platform['s3'], 'send'> = buckets.s3) =>
  aPlatform(store.table, {
    s3: s3 as Platform['s3'],
    stepFunctions: { send: async () => ({}) } as unknown as Platform['stepFunctions'],
    sqs: {
      send: async ({ input }: SendMessageCommand) => void messages.push(input as (typeof messages)[number]),
    } as unknown as Platform['sqs'],
  });
const upload = async (bytes: Uint8Array = image) => {
  const version_id = await put(buckets.s3, bucket, key, bytes);
  return { bucket, key, version_id, size: bytes.length };
};
const handle = (object: Awaited<ReturnType<typeof upload>>, s3?: Pick<Platform['s3'], 'send'>) =>
  linesOf(() => composeDrop(environment(), platform(s3))(objectCreated(object), context));
const videos = async () => (await listVideos(store.table, { owner, limit: 100 })).videos;
const resultOf = async () => {
  const found = await get(buckets.s3, bucket, `${key}.result.json`);
  return found && (JSON.parse(found.text) as object);
};

test('a repeated upload has the result and the copy of the video that exists', async () => {
  await handle(await upload());
  const queued = await changeStatus(store.table, (await videos())[0]!, 'queued');
  const ended = await endAs(store.table, queued!, 'succeeded');
  await put(buckets.s3, 'videos', ended.video!.key, 'a video');
  const again = await upload();
  await handle(again);
  expect(await resultOf()).toMatchObject({
    id: ended.id,
    status: 'succeeded',
    image: { key, version_id: again.version_id },
    video: { copy: { bucket, key: `${key}.mp4` } },
  });
  expect(await videos()).toHaveLength(1);
});

test('a copy of an object onto itself has the result of the video that exists', async () => {
  await handle(await upload());
  const ended = await endAs(store.table, (await videos())[0]!, 'canceled');
  const { VersionId } = await buckets.s3.send(
    new CopyObjectCommand({ Bucket: bucket, Key: key, CopySource: `${bucket}/${key}`, MetadataDirective: 'REPLACE' }),
  );
  await handle({ bucket, key, version_id: VersionId!, size: image.length });
  expect(await resultOf()).toMatchObject({ id: ended.id, status: 'canceled', image: { version_id: VersionId } });
});

test('an upload whose video was deleted has a result with the status deleted', async () => {
  await handle(await upload());
  const video = (await videos())[0]!;
  await replaceWithTombstone(store.table, video);
  const again = await upload();
  await handle(again);
  expect(await resultOf()).toEqual({
    image: { bucket, key, version_id: again.version_id },
    id: video.id,
    status: 'deleted',
    deleted_at: expect.stringMatching(/Z$/),
    message: expect.stringContaining('deleted'),
    hint: expect.stringContaining('"take": 2'),
  });
  expect(await videos()).toEqual([]);
});

test('an image that S3 does not return has a result with the reason', async () => {
  const denied = new S3ServiceException({ name: 'AccessDenied', $fault: 'client', message: '', $metadata: {} });
  const denying = {
    send: (command: PutObjectCommand) =>
      command.constructor.name === 'GetObjectCommand' ? Promise.reject(denied) : buckets.s3.send(command),
  };
  await handle(await upload(), denying as Platform['s3']);
  expect(await resultOf()).toMatchObject({
    status: 'refused',
    error: { code: 'object_unreadable', message: expect.stringContaining(`${key} (AccessDenied)`), billed: false },
  });
});

test('an image whose event was lost becomes a video by way of the queue, once', async () => {
  const object = await upload();
  later = 11 * 60_000;
  const sweep = () => composeSweep(environment(), platform())({}, context);
  const lines = await linesOf(sweep);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'WARN', message: 'Accepted drops whose events were lost', count: 1 }),
  );
  expect(messages).toHaveLength(1);
  const [{ DelaySeconds, MessageBody }] = messages as [(typeof messages)[number]];
  expect(DelaySeconds).toBe(300);
  expect(JSON.parse(MessageBody)).toEqual(objectCreated(object));
  for (let deliveries = 0; deliveries < 2; deliveries++)
    await linesOf(() => composeDrop(environment(), platform())({ Records: [{ body: MessageBody }] }, context));
  expect(await videos()).toMatchObject([{ source: { version_id: object.version_id } }]);
  await linesOf(sweep);
  expect(messages).toHaveLength(1);
});

test('an image that S3 does not return, and whose result cannot be written, is an error: a dead letter rings the alarm', async () => {
  const denied = new S3ServiceException({
    name: 'AccessDenied',
    $fault: 'client',
    message: 'AccessDenied',
    $metadata: {},
  });
  const denying = {
    send: (command: PutObjectCommand) =>
      /^(Get|Put)Object/.test(command.constructor.name) ? Promise.reject(denied) : buckets.s3.send(command),
  };
  const object = await upload();
  const handling = composeDrop(environment(), platform(denying as Platform['s3']))(objectCreated(object), context);
  await expect(handling).rejects.toThrow('AccessDenied');
  expect(await videos()).toEqual([]);
});

test('an image with a key that leaves no room for a result becomes a video, and a log line reports it', async () => {
  key = `drop/${'x'.repeat(1004)}.png`;
  expect(Buffer.byteLength(key)).toBe(1013);
  const lines = await handle(await upload());
  const [video] = await videos();
  expect(video).toMatchObject({ status: 'submitting', source: { key } });
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'WARN',
      message: 'The key of a drop is too long for the name of its result',
      video_id: video!.id,
    }),
  );
  key = `drop/${'x'.repeat(1003)}.png`;
  expect(JSON.stringify(await handle(await upload()))).not.toContain('too long');
});

test('a sidecar in capitals and defaults with a near name stop an image, found by listing its folders', async () => {
  const at = (name: string) => key.replace('.png', `/${name}`);
  const settings = Buffer.from('{"input": {"prompt": "p"}}');
  await put(buckets.s3, bucket, at('A.PNG.json'), settings);
  await put(buckets.s3, bucket, at('_Defaults.json'), settings);
  later = 60_000;
  const version_id = await put(buckets.s3, bucket, at('a.png'), image);
  await handle({ bucket, key: at('a.png'), version_id, size: image.length });
  expect(await videos()).toMatchObject([
    {
      status: 'failed',
      error: { code: 'settings_misnamed', message: expect.stringMatching(/"_defaults\.json".*"a\.png\.json"/) },
    },
  ]);
});
