import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { viewOf } from '../../../functions/video/view.ts';
import { startTable } from '../../support/table.ts';
import { aDeployment } from '../../support/videos.ts';
import { png } from '../media/support.ts';
import { aDropFolder, bucket, imageBytes } from './support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

let folder: ReturnType<typeof aDropFolder>;
beforeEach(() => {
  folder = aDropFolder(store.table);
});
const prompt = { prompt: 'A cat runs' };

describe('a drop of a model that is retired', () => {
  const changes = { 'wan2.2-i2v-flash': { retires_at: '2026-02-20', replaced_by: 'wan2.7-i2v' } };
  const droppedOn = (day: string) =>
    aDropFolder(store.table, { deployment: { ...aDeployment(), changes, now: Date.parse(day) } }).drop(
      'drop/cat.png',
      imageBytes,
      prompt,
    );

  test('has a warning within 30 days', async () => {
    expect(await droppedOn('2026-02-01')).toMatchObject({
      video: { status: 'queued', warnings: [{ pointer: '/model', code: 'model_retires_soon' }] },
    });
  });

  test('fails afterwards, with the successor in its reason', async () => {
    expect(await droppedOn('2026-02-20')).toMatchObject({
      video: { status: 'failed', error: { code: 'model_retired', message: expect.stringContaining('wan2.7-i2v') } },
    });
  });
});

describe('an image that is dropped', () => {
  test('becomes a queued video that names exactly this version, and is dispatched', async () => {
    const event = folder.put('drop/cat.png', imageBytes, { prompt: 'A cat runs', resolution: '480P' });
    const video = (await folder.take(event)) as { video: { id: string } };
    const stored = { bucket, key: 'drop/cat.png', version_id: event.detail.object['version-id'] };
    expect(video).toMatchObject({
      outcome: 'created',
      video: {
        owner: folder.services.defaults.owner,
        status: 'queued',
        model: 'wan2.2-i2v-flash',
        input: {
          prompt: 'A cat runs',
          media: [
            {
              type: 'first_frame',
              url: 's3://firstframe-uploads/drop/cat.png',
              file: { ...stored, content_type: 'image/png', bytes: imageBytes.length, width: 400, height: 380 },
            },
          ],
        },
        parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
        source: { type: 'drop', ...stored },
        warnings: [],
        estimated_cost: { amount: 0.075, currency: 'USD', unit_price: 0.015, seconds: 5 },
      },
    });
    const { id } = video.video;
    expect(await readVideo(store.table, id)).toEqual(video.video);
    expect(folder.dispatched).toEqual([id]);
    expect(folder.measured).toEqual([['Submitted', 1, { model: 'wan2.2-i2v-flash', source: 'drop' }]]);
  });

  test('without metadata gets the defaults', async () => {
    expect(await folder.taken('drop/cat.png')).toMatchObject({
      status: 'queued',
      input: { prompt: 'It comes to life.' },
      parameters: { resolution: '720P' },
    });
  });

  test('can have a prompt in any language', async () => {
    const encoded = '=?UTF-8?B?54yr44GM6LWw?= =?UTF-8?B?44KL?=';
    const video = await folder.taken('drop/cat.png', imageBytes, { prompt: encoded });
    expect(video).toMatchObject({ input: { prompt: '猫が走る' } });
  });

  test.each([
    'drop/two words.png',
    'drop/a+b.png',
    'drop/100%25.png',
    'drop/%2e%2e/x.png',
    'drop/猫/🐈.webp.png',
    'drop/e\u0301te\u0301.png',
    'drop/a/b/c/d/e/f.PNG',
    'drop/naïve?x=1&y=#z.png',
    'drop//twice//a.png',
    'drop/line\nbreak.png',
    `drop/${'d/'.repeat(300)}cat.png`,
    `drop/${'x'.repeat(1015)}.png`,
  ])('can be named %j', async (key) => {
    expect(await folder.taken(key)).toMatchObject({
      status: 'queued',
      input: { media: [{ url: `s3://firstframe-uploads/${key}`, file: { key } }] },
    });
  });

  test.each(['drop/cat.jpg', 'drop/IMG_0001.JPEG', 'drop/cat.heic', 'drop/cat.TIF'])(
    'can be named %s and be a PNG: its bytes decide',
    async (key) => {
      expect(await folder.taken(key)).toMatchObject({
        status: 'queued',
        input: { media: [{ file: { content_type: 'image/png' } }] },
      });
    },
  );

  test('is one video when its event is delivered twenty times concurrently', async () => {
    const event = folder.put('drop/cat.png', imageBytes, prompt);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => folder.take(event)));
    expect(new Set(outcomes.map((outcome) => (outcome as { id: string }).id)).size).toBe(1);
    expect(outcomes.filter((outcome) => outcome?.outcome === 'created')).toHaveLength(1);
    expect(await folder.videos()).toHaveLength(1);
    expect(folder.measured).toHaveLength(1);
  });

  test('is dispatched again by a late event only while it is queued', async () => {
    const event = folder.put('drop/cat.png', imageBytes, prompt);
    await folder.take(event);
    await folder.take(event);
    const [video] = await folder.videos();
    await changeStatus(store.table, video!, 'submitting');
    expect(await folder.take(event)).toMatchObject({ outcome: 'existing', video: { status: 'submitting' } });
    expect(folder.dispatched).toEqual([video!.id, video!.id]);
  });

  test('stays queued when dispatch fails, and the event is done', async () => {
    folder.services.dispatch = () => Promise.reject(new Error('Step Functions is away'));
    const video = (await folder.taken('drop/cat.png', imageBytes, prompt))!;
    expect(await readVideo(store.table, video.id)).toMatchObject({ status: 'queued' });
    expect(folder.undispatched).toEqual([video.id]);
  });

  test.each(['findLatest', 'readObject', 'listFiles'] as const)(
    'is an error while %s is out of order, so that its event comes again',
    async (service) => {
      Object.assign(folder.services, { [service]: () => Promise.reject(new Error('SlowDown')) });
      await expect(folder.drop('drop/cat.png', imageBytes, prompt)).rejects.toThrow('SlowDown');
      expect(await folder.videos()).toEqual([]);
    },
  );

  test('creates nothing when it was deleted before its event came, although its version can still be read', async () => {
    const event = folder.put('drop/cat.png', imageBytes, prompt);
    folder.delete('drop/cat.png');
    expect(await folder.take(event)).toMatchObject({ outcome: 'gone' });
    expect(await folder.videos()).toEqual([]);
  });
});

describe('a drop that cannot become a video is a failed record with the reason', () => {
  const meta = (metadata: Record<string, string>) => ({ metadata: { ...prompt, ...metadata } });

  test.each<[string, { bytes?: Uint8Array; metadata?: Record<string, string> }, string, RegExp]>([
    ['10 pixels', { bytes: png(10, 10) }, 'image_dimensions', /10 × 10 pixels.*360 to 2000/],
    ['a text named .png', { bytes: Buffer.from('hello') }, 'unsupported_image_type', /a text.*JPEG, PNG, BMP and WEBP/],
    ['an empty file', { bytes: Buffer.alloc(0) }, 'image_empty', /empty/],
    ['a part of a header', { bytes: imageBytes.subarray(0, 20) }, 'image_unreadable', /PNG has no readable size/],
    ['an alpha channel', { bytes: png(400, 400, { colorType: 6 }) }, 'image_has_alpha', /alpha/],
    ['an unknown model', meta({ model: 'wan9' }), 'unknown_model', /image's metadata: \/model: .*wan2\.6-i2v/],
    ['a model named like a built-in', meta({ model: '__proto__' }), 'unknown_model', /\/model/],
    [
      'a tier the model lacks',
      meta({ resolution: '1080P' }),
      'unsupported_resolution',
      /image's metadata: \/parameters\/resolution: .*480P or 720P/,
    ],
    ['a duration in words', meta({ duration: 'five' }), 'wrong_type', /\/parameters\/duration: /],
    [
      'audio for a silent model',
      meta({ 'audio-url': 'https://example.com/a.mp3' }),
      'media_not_supported',
      /takes no driving_audio/,
    ],
    [
      'a private address for audio',
      meta({ model: 'wan2.6-i2v', 'audio-url': 'http://169.254.169.254/' }),
      'private_url',
      /public/,
    ],
  ])('%s', async (_, { bytes = imageBytes, metadata = {} }, code, message) => {
    const video = await folder.taken('drop/cat.png', bytes, metadata);
    expect(video).toMatchObject({
      owner: folder.services.defaults.owner,
      status: 'failed',
      source: { type: 'drop', key: 'drop/cat.png' },
      error: { code, message: expect.stringMatching(message), retryable: false, billed: false },
    });
    expect(video!.error!.hint).toMatch(/^Fix the image.*upload the image again/);
    expect(await folder.videos()).toEqual([video]);
    expect(folder.dispatched).toEqual([]);
    expect(folder.measured).toEqual([]);
  });

  test.each(['gif', 'heic', 'HEIF', 'tif', 'tiff', 'avif', 'svg'])(
    'a .%s, which Wan does not accept: immediately, with what to do',
    async (ending) => {
      expect(await folder.drop(`drop/cat.${ending}`, 'GIF89a or any of them')).toMatchObject({
        outcome: 'created',
        video: {
          status: 'failed',
          error: { code: 'unsupported_image_type', message: expect.stringMatching(/a GIF image.*Convert it/) },
        },
      });
    },
  );

  test('with all issues together, and its prompt', async () => {
    const video = await folder.taken('drop/cat.png', png(10, 10), { ...prompt, duration: 'five', model: 'wan9' });
    expect(video).toMatchObject({
      model: 'wan9',
      input: { prompt: 'A cat runs' },
      error: { code: 'image_dimensions' },
    });
    expect(video!.error!.message).toMatch(/10 × 10.*\/model: .*\/parameters\/duration: /);
    expect(video!.error!.hint).toMatch(/^Fix the image and the image's metadata, /);
  });

  test('a huge object, of which only the first part is read', async () => {
    const event = folder.put('drop/cat.png', imageBytes.subarray(0, 64));
    event.detail.object.size = 5 * 1024 ** 4;
    expect(await folder.take(event)).toMatchObject({ video: { error: { code: 'image_too_large' } } });
  });

  test('once, when its event is repeated', async () => {
    const event = folder.put('drop/cat.png', png(10, 10));
    await Promise.all([folder.take(event), folder.take(event), folder.take(event)]);
    await folder.take(event);
    expect(await folder.videos()).toHaveLength(1);
  });
});

describe('the webhook of a drop', () => {
  const hook = 'https://hooks.example/secret-path';

  test('comes from the strongest level that names it, field by field', async () => {
    folder.put('drop/shoes/_defaults.json', { webhook_url: 'https://other.example/', webhook_events: 'all' });
    folder.put('drop/shoes/red.png.json', { webhook_url: hook, input: { prompt: 'A shoe turns' } });
    const video = await folder.taken('drop/shoes/red.png');
    expect(video).toMatchObject({
      status: 'queued',
      webhook: { url: hook, events: 'all' },
      source: { settings: { '/webhook_url': 'sidecar', '/webhook_events': 'defaults' } },
    });
    expect(viewOf(video!, 0).webhook).toEqual({ host: 'hooks.example', events: 'all' });
    expect(JSON.stringify(viewOf(video!, 0))).not.toContain('secret-path');
  });

  test('can be in the metadata of the image, where an empty one counts as none', async () => {
    const metadata = { prompt: 'A shoe turns', 'webhook-url': hook, 'webhook-events': 'all' };
    expect(await folder.taken('drop/a.png', imageBytes, metadata)).toMatchObject({
      webhook: { url: hook, events: 'all' },
    });
    const empty = { prompt: 'A shoe turns', 'webhook-url': ' ', 'webhook-events': 'None' };
    const video = await folder.taken('drop/b.png', imageBytes, empty);
    expect([video!.status, video!.webhook]).toEqual(['queued', undefined]);
  });

  test('is kept when other settings are refused, so that it gets the failure', async () => {
    folder.put('drop/c.png.json', { webhook_url: hook, parameters: { duration: 7 } });
    expect(await folder.taken('drop/c.png')).toMatchObject({ status: 'failed', webhook: { url: hook } });
  });

  test.each([
    ['private_url', { webhook_url: 'https://10.0.0.1/secret-path' }],
    ['unsupported_url_scheme', { webhook_url: 'http://127.0.0.1:9/secret-path' }],
    ['webhook_url_missing', { webhook_events: 'all' }],
  ])('fails with %s, and the reason does not repeat its URL', async (code, fields) => {
    folder.put('drop/d.png.json', { ...fields, input: { prompt: 'A shoe turns' } });
    const video = await folder.taken('drop/d.png');
    expect(video).toMatchObject({
      status: 'failed',
      error: { code, message: expect.stringContaining('drop/d.png.json') },
    });
    expect(video!.webhook).toBeUndefined();
    expect(JSON.stringify(video)).not.toContain('secret-path');
  });
});

describe('the owner of a drop', () => {
  test('is named by its top folder when the deployment is set so', async () => {
    folder.services.rules = { sidecar_seconds: 0, owners: 'folders' };
    const owner = folder.services.defaults.owner;
    expect(await folder.taken(`drop/${owner}-a/deep/cat.png`)).toMatchObject({ owner: `${owner}-a`, status: 'queued' });
    expect(await folder.taken('drop/cat.png')).toMatchObject({ owner });
  });

  test('is the default owner for a folder whose name cannot be an owner: immediately a failed record', async () => {
    folder.services.rules = { sidecar_seconds: 10, owners: 'folders' };
    expect(await folder.taken('drop/Team A/cat.png')).toMatchObject({
      owner: folder.services.defaults.owner,
      status: 'failed',
      error: {
        code: 'folder_names_no_owner',
        message: expect.stringMatching(/^In the name of the folder drop\/Team A\/: .*Rename it\.$/),
        hint: expect.stringContaining('drop/Team A/'),
      },
    });
  });
});

test.each([
  'drop/cat.png.result.json',
  'drop/manifest.jsonl.results/000001.json',
  'drop/_defaults.json',
  'drop/cat.png.mp4',
  'drop/notes.txt',
  'drop/.png',
  'drop/',
  'drop/folder.png/',
  'drop/._cat.png',
  'inputs/some-id/cat.png',
  'Drop/cat.png',
  'x/drop/cat.png',
  'x/drop/manifest.jsonl',
])('%s is ignored without being read', async (key) => {
  expect(await folder.drop(key)).toBeUndefined();
  expect(folder.read).toEqual([]);
  expect(folder.manifests).toEqual([]);
  expect(await folder.videos()).toEqual([]);
});

test('a manifest in any folder is accepted as one', async () => {
  await folder.drop('drop/spring/manifest.jsonl', '{}');
  expect(folder.manifests).toMatchObject([{ bucket, key: 'drop/spring/manifest.jsonl', size: 2 }]);
  expect(await folder.videos()).toEqual([]);
});
