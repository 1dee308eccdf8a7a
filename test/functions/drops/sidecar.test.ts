import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { droppedObject } from '../../../functions/drops/dropped-object.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import { startTable } from '../../support/table.ts';
import { png } from '../media/support.ts';
import { aDropFolder, imageBytes } from './support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

let folder: ReturnType<typeof aDropFolder>;
beforeEach(() => {
  folder = aDropFolder(store.table);
});
const sidecar = { input: { prompt: 'from the sidecar' }, parameters: { seed: 7 }, metadata: { project: 'spring' } };

describe('an image without a prompt of its own', () => {
  test('waits for a sidecar, and then uses the other levels: one video, although event and messages come twice', async () => {
    const event = folder.put('drop/cat.png', imageBytes, { resolution: '480P' });
    const waiting = await folder.take(event);
    expect(waiting).toMatchObject({ outcome: 'waiting' });
    expect(await folder.take(event)).toEqual(waiting);
    expect(await folder.videos()).toEqual([]);
    expect(folder.waits).toEqual([droppedObject(event), droppedObject(event)]);
    const outcomes = [...(await folder.wakeUp()), ...(await folder.wakeUp())].map((taken) => taken!.outcome);
    expect(outcomes.sort()).toEqual(['created', 'existing', 'existing', 'existing']);
    expect(folder.waits).toHaveLength(2);
    expect(await folder.videos()).toMatchObject([
      {
        status: 'queued',
        input: { prompt: 'It comes to life.' },
        source: { settings: { '/input/prompt': 'deployment', '/parameters/resolution': 'metadata' } },
      },
    ]);
  });

  test('is accepted immediately when its sidecar arrives, and the end of its wait changes nothing', async () => {
    await folder.drop('drop/cat.png');
    expect(await folder.drop('drop/cat.png.json', sidecar)).toMatchObject({
      outcome: 'created',
      video: { input: { prompt: 'from the sidecar' }, parameters: { seed: 7 }, metadata: { project: 'spring' } },
    });
    expect(await folder.wakeUp()).toMatchObject([{ outcome: 'existing' }]);
    expect(await folder.videos()).toHaveLength(1);
  });

  test('does not wait where the deployment sets 0 seconds', async () => {
    folder.services.rules = { ...folder.services.rules, sidecar_seconds: 0 };
    expect(await folder.drop('drop/cat.png')).toMatchObject({ outcome: 'created' });
    expect(folder.waits).toHaveLength(0);
  });

  test('that is deleted while it waits creates no video, in any order of events', async () => {
    await folder.drop('drop/cat.png');
    folder.delete('drop/cat.png');
    expect(await folder.drop('drop/cat.png.json', sidecar)).toBeUndefined();
    expect(await folder.wakeUp()).toMatchObject([{ outcome: 'gone' }]);
    expect(await folder.videos()).toEqual([]);
  });

  test('whose video was deleted is not created again by its sidecar or the end of its wait', async () => {
    await folder.drop('drop/cat.png');
    await folder.drop('drop/cat.png.json', sidecar);
    await replaceWithTombstone(store.table, (await folder.videos())[0]!);
    expect(await folder.drop('drop/cat.png.json', sidecar)).toMatchObject({ outcome: 'deleted' });
    expect(await folder.wakeUp()).toMatchObject([{ outcome: 'deleted' }]);
    expect(await folder.videos()).toEqual([]);
  });

  test('is a video for each of the bytes that are uploaded while it waits', async () => {
    await folder.drop('drop/cat.png');
    await folder.drop('drop/cat.png', png(500, 380));
    await folder.drop('drop/cat.png', png(500, 380));
    await folder.wakeUp();
    expect(await folder.videos()).toHaveLength(2);
  });

  test.each(['', ' \t'])('has no prompt by blank metadata (%j), as some programs send it', async (prompt) => {
    folder.put('drop/_defaults.json', { input: { prompt: 'from defaults' }, parameters: { seed: 7 } });
    expect(await folder.taken('drop/cat.png', imageBytes, { prompt, template: prompt })).toMatchObject({
      status: 'queued',
      input: { prompt: 'from defaults' },
      parameters: { seed: 7 },
    });
    expect(folder.waits).toHaveLength(1);
  });

  test('does not wait when it has an effect', async () => {
    expect(await folder.drop('drop/cat.png', imageBytes, { template: 'flying' })).toMatchObject({ outcome: 'created' });
  });
});

describe('a sidecar', () => {
  test.each([
    ['drop/cat.png', 'drop/cat.png.json'],
    ['drop/CAT.JPG', 'drop/CAT.JPG.JSON'],
    ['drop/a+b %2f/e\u0301té.png', 'drop/a+b %2f/e\u0301té.png.json'],
  ])('may come before its image: %s', async (image, key) => {
    expect(await folder.drop(key, sidecar)).toBeUndefined();
    expect(await folder.drop(image)).toMatchObject({ outcome: 'created', video: { parameters: { seed: 7 } } });
    expect(folder.waits).toHaveLength(0);
  });

  test('is stronger than metadata, field by field', async () => {
    await folder.drop('drop/cat.png.json', sidecar);
    const metadata = { prompt: 'lost', seed: '1', resolution: '480P' };
    expect(await folder.taken('drop/cat.png', imageBytes, metadata)).toMatchObject({
      input: { prompt: 'from the sidecar' },
      parameters: { seed: 7, resolution: '480P' },
      source: {
        settings: {
          '/model': 'deployment',
          '/input/prompt': 'sidecar',
          '/parameters/seed': 'sidecar',
          '/parameters/resolution': 'metadata',
          '/metadata/project': 'sidecar',
        },
      },
    });
  });

  test('that comes after its image became a video changes nothing', async () => {
    const video = await folder.taken('drop/cat.png', imageBytes, { prompt: 'own' });
    expect(await folder.drop('drop/cat.png.json', sidecar)).toEqual({ outcome: 'existing', id: video!.id, video });
    expect(await folder.videos()).toEqual([video]);
  });

  test('still applies to a later version of its image, until it is deleted', async () => {
    await folder.drop('drop/cat.png.json', sidecar);
    await folder.drop('drop/cat.png');
    expect(await folder.drop('drop/cat.png', png(500, 380))).toMatchObject({ video: { parameters: { seed: 7 } } });
    folder.delete('drop/cat.png.json');
    expect(await folder.taken('drop/cat.png')).not.toHaveProperty('parameters.seed');
    expect(await folder.videos()).toHaveLength(3);
  });

  test('that is broken is a failed record that names file and pointer, not a video with other settings', async () => {
    await folder.drop('drop/a/cat.png.json', { input: { promt: 'a typo', img_url: 'https://example.com/other.png' } });
    const video = await folder.taken('drop/a/cat.png', imageBytes, { prompt: 'own', duration: '99' });
    expect(video).toMatchObject({ status: 'failed', error: { code: 'image_in_settings', billed: false } });
    expect(video!.error!.message).toMatch(/^In drop\/a\/cat\.png\.json: \/input\/img_url: .* \/input\/promt: /);
    expect(video!.error!.message).not.toContain('duration');
    expect(video!.error!.hint).toMatch(/^Fix drop\/a\/cat\.png\.json, then upload the image again/);
    expect(folder.dispatched).toEqual([]);
  });

  test('whose values no model accepts is named with them', async () => {
    await folder.drop('drop/cat.png.json', {
      model: 'wan2.2-i2v-plus',
      parameters: { duration: 7, resolution: '720P' },
    });
    expect(await folder.taken('drop/cat.png')).toMatchObject({
      status: 'failed',
      error: {
        code: 'unsupported_resolution',
        message: expect.stringMatching(
          /^In drop\/cat\.png\.json: \/parameters\/resolution: .*\/parameters\/duration: /,
        ),
      },
    });
  });

  test('with a thousand faults ends with a message that a person can read', async () => {
    const fields = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`field-${at}`, 1]));
    await folder.drop('drop/cat.png.json', { ...fields, input: fields, parameters: fields });
    const { message } = (await folder.taken('drop/cat.png'))!.error!;
    expect(message.match(/\/field-\d+:/g)).toHaveLength(50);
  });

  test('may have a prompt much longer than metadata can be', async () => {
    const prompt = '猫'.repeat(1_000);
    await folder.drop('drop/cat.png.json', { input: { prompt } });
    expect(await folder.taken('drop/cat.png')).toMatchObject({
      status: 'queued',
      input: { prompt },
      warnings: [{ pointer: '/input/prompt', code: 'prompt_truncated' }],
    });
  });
});

describe('the nearest _defaults.json', () => {
  test('is the only one that applies, and the record names it', async () => {
    await folder.drop('drop/_defaults.json', { parameters: { watermark: true, seed: 1 } });
    await folder.drop('drop/a/_defaults.json', { input: { prompt: 'of folder a' }, parameters: { seed: 2 } });
    expect(await folder.taken('drop/a/b/c/cat.png')).toMatchObject({
      input: { prompt: 'of folder a' },
      parameters: { seed: 2, watermark: false },
      source: { defaults_key: 'drop/a/_defaults.json', settings: { '/parameters/seed': 'defaults' } },
    });
    expect(await folder.taken('drop/b/cat.png')).toMatchObject({
      parameters: { seed: 1, watermark: true },
      source: { defaults_key: 'drop/_defaults.json' },
    });
  });

  test('of another folder does not apply, though its name begins alike', async () => {
    await folder.drop('drop/a/_defaults.json', { parameters: { seed: 2 } });
    const video = await folder.taken('drop/ab/cat.png');
    expect(video).not.toHaveProperty('parameters.seed');
    expect(video).not.toHaveProperty('source.defaults_key');
  });

  test('does not end the wait of an image, and may arrive while it waits', async () => {
    await folder.drop('drop/cat.png');
    await folder.drop('drop/_defaults.json', { input: { prompt: 'late' } });
    await folder.wakeUp();
    expect(await folder.videos()).toMatchObject([{ input: { prompt: 'late' } }]);
  });

  test('changes later drops only: a repeated event finds the existing video', async () => {
    await folder.drop('drop/_defaults.json', { parameters: { seed: 1 } });
    const event = folder.put('drop/cat.png', imageBytes, { prompt: 'own' });
    await folder.take(event);
    await folder.drop('drop/_defaults.json', { parameters: { seed: 2 } });
    expect(await folder.take(event)).toMatchObject({ outcome: 'existing', video: { parameters: { seed: 1 } } });
    expect(await folder.taken('drop/later.png')).toMatchObject({ parameters: { seed: 2 } });
  });

  test.each([
    ['{"input": {"prompt"', 'invalid_json', /^In drop\/a\/_defaults\.json: The JSON is truncated/],
    ['', 'invalid_json', /empty/],
    ['{"sidecar": true}', 'invalid_value', /\/sidecar: Write "required"/],
    ['{"owner": "bob"}', 'unknown_field', /\/owner: /],
  ])(
    'that is broken (%s) fails the drop immediately, and no other level replaces it',
    async (content, code, message) => {
      await folder.drop('drop/_defaults.json', { input: { prompt: 'of the folder above' } });
      await folder.drop('drop/a/_defaults.json', content);
      expect(await folder.drop('drop/a/cat.png')).toMatchObject({
        outcome: 'created',
        video: {
          status: 'failed',
          source: { defaults_key: 'drop/a/_defaults.json' },
          error: {
            code,
            message: expect.stringMatching(message),
            hint: expect.stringContaining('Fix drop/a/_defaults.json'),
          },
        },
      });
    },
  );

  test('and a sidecar, both broken, are both named', async () => {
    await folder.drop('drop/_defaults.json', 'x');
    await folder.drop('drop/cat.png.json', 'y');
    const { error } = (await folder.taken('drop/cat.png'))!;
    expect(error!.hint).toMatch(/^Fix drop\/cat\.png\.json and drop\/_defaults\.json,/);
  });
});

describe('a folder that requires sidecars', () => {
  beforeEach(async () => {
    await folder.drop('drop/_defaults.json', { sidecar: 'required', parameters: { watermark: true } });
  });

  test('waits for them without a limit, also for an image with a prompt', async () => {
    const event = folder.put('drop/cat.png', imageBytes, { prompt: 'own' });
    expect(await folder.take(event)).toMatchObject({ outcome: 'waiting' });
    expect(folder.waits).toHaveLength(0);
    expect(await folder.takeWaited(droppedObject(event))).toMatchObject({ outcome: 'waiting' });
    expect(await folder.drop('drop/cat.png.json', sidecar)).toMatchObject({
      outcome: 'created',
      video: { input: { prompt: 'from the sidecar' }, parameters: { watermark: true, seed: 7 } },
    });
  });

  test('starts with an empty one', async () => {
    await folder.drop('drop/cat.png', imageBytes, { prompt: 'own' });
    expect(await folder.drop('drop/cat.png.json', '{}')).toMatchObject({ video: { input: { prompt: 'own' } } });
  });

  test('refuses immediately what no sidecar can fix', async () => {
    expect(await folder.drop('drop/cat.gif', 'GIF89a')).toMatchObject({ video: { status: 'failed' } });
  });

  test('can have a folder below it that does not', async () => {
    await folder.drop('drop/free/_defaults.json', {});
    expect(await folder.drop('drop/free/cat.png', imageBytes, { prompt: 'own' })).toMatchObject({ outcome: 'created' });
  });
});

describe('a last frame', () => {
  const framed = { model: 'wan2.7-i2v', prompt: 'The bud opens' };
  const lastBytes = png(500, 400);

  test('next to an image ends its video, by the version that was read', async () => {
    const last = folder.put('drop/bud.png.last.jpg', lastBytes);
    expect(await folder.take(last)).toBeUndefined();
    const video = await folder.taken('drop/bud.png', imageBytes, framed);
    expect(video).toMatchObject({
      status: 'queued',
      input: {
        media: [
          { type: 'first_frame', file: { key: 'drop/bud.png', width: 400 } },
          {
            type: 'last_frame',
            url: 'drop/bud.png.last.jpg',
            file: { key: 'drop/bud.png.last.jpg', version_id: droppedObject(last).version_id, width: 500 },
          },
        ].map(({ url, ...medium }) => (url ? { ...medium, url: `s3://firstframe-uploads/${url}` } : medium)),
      },
    });
  });

  test('counts by its bytes: the same again is the same video, others are another one', async () => {
    folder.put('drop/bud.png.last.jpg', lastBytes);
    const first = await folder.taken('drop/bud.png', imageBytes, framed);
    folder.put('drop/bud.png.last.jpg', lastBytes);
    expect((await folder.taken('drop/bud.png', imageBytes, framed))?.id).toBe(first?.id);
    folder.put('drop/bud.png.last.jpg', png(520, 400));
    expect((await folder.taken('drop/bud.png', imageBytes, framed))?.id).not.toBe(first?.id);
    folder.delete('drop/bud.png.last.jpg');
    expect((await folder.taken('drop/bud.png', imageBytes, framed))?.input.media).toHaveLength(1);
    expect(await folder.videos()).toHaveLength(3);
  });

  test('that comes while its image waits is used, and one that comes later pays for nothing', async () => {
    const defaults = { ...folder.services.defaults, model: 'wan2.7-i2v' };
    folder.services.defaults = defaults;
    await folder.drop('drop/bud.png');
    expect(await folder.drop('drop/bud.png.last.png', lastBytes)).toMatchObject({ outcome: 'waiting' });
    const [woken] = await folder.wakeUp();
    expect(woken).toMatchObject({ outcome: 'created', video: { input: { media: [{}, { type: 'last_frame' }] } } });
    folder.put('drop/other.png', imageBytes, framed);
    await folder.taken('drop/other.png', imageBytes, framed);
    expect(await folder.drop('drop/other.png.last.png', lastBytes)).toMatchObject({ outcome: 'existing' });
    expect(await folder.videos()).toHaveLength(2);
  });

  test.each<[string, object, Uint8Array, string, RegExp]>([
    [
      'a model without one',
      { model: 'wan2.2-i2v-flash', prompt: 'x' },
      lastBytes,
      'media_not_supported',
      /In drop\/bud\.png\.last\.jpg: .*takes no last_frame/,
    ],
    ['one that is too small', framed, png(100, 100), 'image_dimensions', /In drop\/bud\.png\.last\.jpg: .*100 × 100/],
    [
      'one in a sidecar as well',
      { ...framed, 'last-frame-url': 'https://example.com/b.png' },
      lastBytes,
      'too_many_media',
      /At most 1/,
    ],
  ])('of %s is a failed record that names the file', async (_, metadata, bytes, code, message) => {
    folder.put('drop/bud.png.last.jpg', bytes);
    const video = await folder.taken('drop/bud.png', imageBytes, metadata as Record<string, string>);
    expect(video).toMatchObject({ status: 'failed', error: { code, message: expect.stringMatching(message) } });
  });

  test('of two files is refused', async () => {
    folder.put('drop/bud.png.last.jpg', lastBytes);
    folder.put('drop/bud.png.last.png', lastBytes);
    expect(await folder.taken('drop/bud.png', imageBytes, framed)).toMatchObject({
      status: 'failed',
      error: { code: 'too_many_media', message: expect.stringContaining('drop/bud.png.last.png') },
    });
  });

  test('may be a URL in a sidecar, alone or in the list of media', async () => {
    const url = 'https://example.com/flower.png';
    for (const [index, input] of [{ last_frame_url: url }, { media: [{ type: 'last_frame', url }] }].entries()) {
      folder.put(`drop/${index}.png.json`, { model: 'wan2.7-i2v', input: { prompt: 'x', ...input } });
      expect((await folder.taken(`drop/${index}.png`))?.input.media).toMatchObject([
        { type: 'first_frame' },
        { type: 'last_frame', url },
      ]);
    }
  });
});
