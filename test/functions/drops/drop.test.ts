import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DropServices, takeDrop } from '../../../functions/drops/drop.ts';
import { droppedObject } from '../../../functions/drops/dropped-object.ts';
import { listVideos } from '../../../functions/video/list.ts';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { buryVideo } from '../../../functions/video/tombstone.ts';
import objectCreated from '../../fixtures/events/object-created.json' with { type: 'json' };
import { startTable } from '../../support/table.ts';
import { png } from '../media/support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

const picture = png(400, 380);
let objects: Map<string, { bytes: Uint8Array; metadata: Record<string, string> }>;
let dispatched: string[];
let read: string[];
let undispatched: string[];
/** The versions of one test are no other test's. */
let version: string;
let services: DropServices;
beforeEach(() => {
  objects = new Map();
  version = randomUUID();
  dispatched = [];
  undispatched = [];
  read = [];
  services = {
    table: store.table,
    defaults: { owner: `drops-${randomUUID()}`, model: 'wan2.2-i2v-flash', prompt: 'It comes to life.' },
    trustedOrigins: [],
    wanRegion: 'singapore',
    readObject: async ({ bucket, key, version_id }) => {
      read.push(key);
      return objects.get(`${bucket} ${key} ${version_id}`);
    },
    dispatch: async ({ id }) => void dispatched.push(id),
    logUndispatched: ({ id }) => void undispatched.push(id),
  };
});

/** Puts an object and gives the event that EventBridge makes of it. */
function put(
  key: string,
  {
    bytes = picture as Uint8Array,
    metadata = {},
    versionId = version,
  }: { bytes?: Uint8Array; metadata?: Record<string, string>; versionId?: string } = {},
) {
  const { detail } = objectCreated as unknown as Parameters<typeof droppedObject>[0];
  objects.set(`${detail.bucket.name} ${key} ${versionId}`, { bytes, metadata });
  return { detail: { ...detail, object: { ...detail.object, key, size: bytes.byteLength, 'version-id': versionId } } };
}

const take = (event: ReturnType<typeof put>) => takeDrop(services, droppedObject(event));
const everything = async () => (await listVideos(store.table, { owner: services.defaults.owner, limit: 100 })).videos;

describe('an image that is dropped', () => {
  test('becomes a queued video that names exactly this version, and is dispatched', async () => {
    const video = await take(put('drop/cat.png', { metadata: { prompt: 'A cat runs', resolution: '480P' } }));
    const stored = { bucket: 'firstframe-uploads', key: 'drop/cat.png', version_id: version };
    expect(video).toMatchObject({
      owner: services.defaults.owner,
      status: 'queued',
      model: 'wan2.2-i2v-flash',
      input: { prompt: 'A cat runs', img_url: 's3://firstframe-uploads/drop/cat.png' },
      parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
      source: { type: 'drop', ...stored },
      image: { ...stored, content_type: 'image/png', bytes: picture.length, width: 400, height: 380 },
      warnings: [],
      estimated_cost: { amount: 0.075, currency: 'USD', unit_price: 0.015, seconds: 5 },
    });
    expect(await readVideo(store.table, video!.id)).toEqual(video);
    expect(dispatched).toEqual([video!.id]);
  });

  test('without metadata gets the defaults', async () => {
    expect(await take(put('drop/cat.png'))).toMatchObject({
      status: 'queued',
      input: { prompt: 'It comes to life.' },
      parameters: { resolution: '720P' },
    });
  });

  test('may have its prompt in any language', async () => {
    const prompt = '=?UTF-8?B?54yr44GM6LWw?= =?UTF-8?B?44KL?=';
    expect(await take(put('drop/cat.png', { metadata: { prompt } }))).toMatchObject({ input: { prompt: '猫が走る' } });
  });

  test.each([
    'drop/two words.png',
    'drop/a+b.png',
    'drop/100%25.png',
    'drop/%2e%2e/x.png',
    'drop/猫/🐈.webp.png',
    'drop/a/b/c/d/e/f.PNG',
    'drop/naïve?x=1&y=#z.png',
    'drop//twice//.png',
    'drop/line\nbreak.png',
    `drop/${'x'.repeat(1015)}.png`,
  ])('may be called %j', async (key) => {
    const video = await take(put(key));
    expect(video).toMatchObject({
      status: 'queued',
      input: { img_url: `s3://firstframe-uploads/${key}` },
      image: { key },
    });
  });

  test('may be named .jpg and be a PNG: its bytes tell', async () => {
    expect(await take(put('drop/cat.jpg'))).toMatchObject({ status: 'queued', image: { content_type: 'image/png' } });
  });

  test('is one video however often and at once its event comes', async () => {
    const event = put('drop/cat.png');
    const videos = await Promise.all(Array.from({ length: 20 }, () => take(event)));
    expect(new Set(videos.map((video) => video?.id)).size).toBe(1);
    expect(await everything()).toHaveLength(1);
  });

  test('is dispatched again by a late event only while it still waits', async () => {
    const event = put('drop/cat.png');
    const video = (await take(event))!;
    await take(event);
    await changeStatus(store.table, video, 'submitting');
    expect(await take(event)).toMatchObject({ id: video.id, status: 'submitting' });
    expect(dispatched).toEqual([video.id, video.id]);
  });

  test('whose video was deleted is not made anew by a late event, and a new version of it is', async () => {
    const event = put('drop/cat.png');
    await buryVideo(store.table, (await take(event))!);
    expect(await take(event)).toBeUndefined();
    expect(dispatched).toHaveLength(1);
    expect(await take(put('drop/cat.png', { versionId: `${version}-2` }))).toMatchObject({ status: 'queued' });
  });

  test('is another video in a new version, under another name, and in another bucket', async () => {
    const event = put('drop/cat.png');
    await take(event);
    await take(put('drop/cat.png', { versionId: `${version}-2` }));
    await take(put('drop/copy.png'));
    objects.set(`other drop/cat.png ${version}`, { bytes: picture, metadata: {} });
    await take({ detail: { ...event.detail, bucket: { name: 'other' } } });
    expect(await everything()).toHaveLength(4);
  });

  test('waits in its queue when dispatch fails: the record stands, and the event is done', async () => {
    services.dispatch = () => Promise.reject(new Error('Step Functions is away'));
    const video = await take(put('drop/cat.png'));
    expect(await readVideo(store.table, video!.id)).toMatchObject({ status: 'queued' });
    expect(undispatched).toEqual([video!.id]);
  });

  test('that can not be read for now is an error, so that its event comes again', async () => {
    services.readObject = () => Promise.reject(new Error('SlowDown'));
    await expect(take(put('drop/cat.png'))).rejects.toThrow('SlowDown');
    expect(await everything()).toEqual([]);
  });

  test('and is deleted in that version makes nothing', async () => {
    const event = put('drop/cat.png');
    objects.clear();
    expect(await take(event)).toBeUndefined();
    expect(await everything()).toEqual([]);
  });
});

describe('a drop that can not be taken is a failed record that says why', () => {
  const metadata = (given: Record<string, string>) => ({ metadata: given });

  test.each<[string, NonNullable<Parameters<typeof put>[1]>, string, RegExp]>([
    ['10 pixels', { bytes: png(10, 10) }, 'image_dimensions', /10 × 10 pixels.*360 to 2000/],
    ['a text named .png', { bytes: Buffer.from('hello') }, 'unsupported_image_type', /JPEG, PNG, BMP or WEBP/],
    ['an empty file', { bytes: Buffer.alloc(0) }, 'image_empty', /empty/],
    ['half a file', { bytes: picture.subarray(0, 60) }, 'image_truncated', /cut off/],
    ['an alpha channel', { bytes: png(400, 400, { colorType: 6 }) }, 'image_has_alpha', /alpha/],
    ['an unknown model', metadata({ model: 'wan9' }), 'unknown_model', /\/model: .*wan2\.6-i2v/],
    ['a model named like a built-in', metadata({ model: '__proto__' }), 'unknown_model', /\/model/],
    [
      'a tier the model lacks',
      metadata({ resolution: '1080P' }),
      'unsupported_resolution',
      /\/parameters\/resolution: .*480P or 720P/,
    ],
    ['a duration in words', metadata({ duration: 'five' }), 'wrong_type', /\/parameters\/duration: /],
    [
      'sound for a silent model',
      metadata({ 'audio-url': 'https://example.com/a.mp3' }),
      'audio_not_supported',
      /silent/,
    ],
    [
      'a private address for sound',
      metadata({ model: 'wan2.6-i2v', 'audio-url': 'http://169.254.169.254/' }),
      'private_url',
      /public/,
    ],
  ])('%s', async (_, given, code, message) => {
    const video = await take(put('drop/cat.png', given));
    expect(video).toMatchObject({
      owner: services.defaults.owner,
      status: 'failed',
      source: { type: 'drop', key: 'drop/cat.png', version_id: version },
      error: { code, message: expect.stringMatching(message), retryable: false, billed: false },
    });
    expect(video!.error!.hint).toMatch(/drop it again/);
    expect(await everything()).toEqual([video]);
    expect(dispatched).toEqual([]);
  });

  test('with everything that is wrong at once, and the prompt it came with', async () => {
    const given = { bytes: png(10, 10), metadata: { prompt: 'A cat runs', duration: 'five', model: 'wan9' } };
    const video = await take(put('drop/cat.png', given));
    expect(video).toMatchObject({
      model: 'wan9',
      input: { prompt: 'A cat runs' },
      error: { code: 'image_dimensions' },
    });
    expect(video!.error!.message).toMatch(/10 × 10.*\/model: .*\/parameters\/duration: /);
  });

  test('a huge object, of which only the head was read', async () => {
    const event = put('drop/cat.png', { bytes: picture.subarray(0, 64) });
    event.detail.object.size = 5 * 1024 ** 4;
    expect(await take(event)).toMatchObject({ status: 'failed', error: { code: 'image_too_large' } });
  });

  test('once, however often its event comes', async () => {
    const event = put('drop/cat.png', { bytes: png(10, 10) });
    await Promise.all([take(event), take(event), take(event)]);
    await take(event);
    expect(await everything()).toHaveLength(1);
  });
});

test.each([
  'drop/cat.png.result.json',
  'drop/cat.png.json',
  'drop/_defaults.json',
  'drop/cat.png.mp4',
  'drop/notes.txt',
  'drop/png',
  'drop/',
  'drop/folder.png/',
  'inputs/some-id/cat.png',
  'Drop/cat.png',
  'x/drop/cat.png',
])('%s is passed over unread, so that nothing of ours starts a video', async (key) => {
  expect(await take(put(key))).toBeUndefined();
  expect(read).toEqual([]);
  expect(await everything()).toEqual([]);
});
