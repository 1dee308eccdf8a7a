import { randomUUID } from 'node:crypto';
import { NoSuchKey } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from 'vitest';
import { storeClip } from '../../../functions/drops/extend-drop.ts';
import { readSettingsFile } from '../../../functions/drops/settings-file.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { createVideo, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { anS3, type StoredObjects } from '../api/support.ts';
import { aDropFolder, imageBytes } from './support.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const store = startTable(() => now);
let folder: ReturnType<typeof aDropFolder>;
let source: VideoRecord;
beforeEach(async () => {
  folder = aDropFolder(store.table);
  source = await aSource();
});

async function aSource(given: Partial<VideoRecord> = {}): Promise<VideoRecord> {
  const id = randomUUID();
  const video = {
    ...{ bucket: 'videos', key: `${id}/1-1.mp4`, version_id: 'v1', content_type: 'video/mp4', bytes: 1000 },
    ...{ sha256: 'a'.repeat(64), duration_seconds: 5, width: 1280, height: 720, fps: 30, codecs: [] },
    provenance: { c2pa: false, aigc_label: false, watermark: false },
  };
  const { owner } = folder.services.defaults;
  const parameters = { resolution: '720P', duration: 5, watermark: false } as const;
  const record = aVideo({ id, owner, status: 'succeeded', model: 'wan2.7-i2v', parameters, video, ...given });
  await createVideo(store.table, record);
  return record;
}
const sidecar = (given: object = {}) => ({
  extends: source.id,
  seconds_to_add: 3,
  input: { prompt: 'The end' },
  ...given,
});
async function taken(settings: object): Promise<VideoRecord> {
  folder.put('drop/end.png.json', settings);
  return (await folder.taken('drop/end.png'))!;
}

describe('a sidecar with "extends"', () => {
  test('makes the image the last frame of a continuation, by the model and in the resolution of the source', async () => {
    expect(await taken(sidecar())).toMatchObject({
      status: 'queued',
      derived_from: source.id,
      model: 'wan2.7-i2v',
      input: {
        prompt: 'The end',
        media: [
          { type: 'last_frame', url: 's3://firstframe-uploads/drop/end.png', file: { content_type: 'image/png' } },
          { type: 'first_clip', url: `s3://videos/${source.id}/1-1.mp4`, file: { duration_seconds: 5 } },
        ],
      },
      parameters: { resolution: '720P', duration: 8 },
      estimated_cost: { amount: 0.8, seconds: 8 },
      warnings: [{ code: 'source_billed_again' }],
    });
  });

  test('is one video however often it comes, and another one for another source or length', async () => {
    const first = await taken(sidecar());
    expect((await taken(sidecar())).id).toBe(first.id);
    expect((await taken(sidecar({ seconds_to_add: 4 }))).id).not.toBe(first.id);
    source = await aSource();
    expect((await taken(sidecar())).id).not.toBe(first.id);
  });

  test.each<[string, () => object | Promise<object>, string]>([
    ['an unknown video', () => sidecar({ extends: randomUUID() }), 'video_not_found'],
    ['no id', () => sidecar({ extends: 'drop/cat.png' }), 'video_not_found'],
    [
      "another owner's video",
      async () => sidecar({ extends: (await aSource({ owner: 'somewhere-else' })).id }),
      'video_not_found',
    ],
    [
      'a video in progress',
      async () => sidecar({ extends: (await aSource({ status: 'running' })).id }),
      'source_has_no_video',
    ],
    ['a model without first_clip', () => sidecar({ model: 'wan2.6-i2v' }), 'cannot_continue'],
    ['a total of more than 15 s', () => sidecar({ seconds_to_add: 11 }), 'unsupported_duration'],
    ['no length', () => sidecar({ seconds_to_add: undefined }), 'missing'],
    ['a duration of its own', () => sidecar({ parameters: { duration: 9 } }), 'given_twice'],
  ])('is refused for %s', async (_, settings, code) => {
    const video = await taken(await settings());
    expect(video).toMatchObject({ status: 'failed', error: { code, billed: false } });
    expect(video.error!.message).toContain('In drop/end.png.json');
    expect(video.derived_from).toBeUndefined();
  });
});

test('only a sidecar extends a video', () => {
  const file = readSettingsFile(Buffer.from(JSON.stringify(sidecar())), 'defaults');
  expect(file).toMatchObject({ ok: false, issues: [{ pointer: '/extends' }, { pointer: '/seconds_to_add' }] });
});

describe('the clip of a drop', () => {
  const services = (objects: StoredObjects) => ({ s3: anS3(objects), table: store.table, uploadsBucket: 'uploads' });

  test('is copied once to the inputs of its video', async () => {
    const planned = await taken(sidecar());
    const objects: StoredObjects = new Map([[source.video!.key, { bytes: imageBytes, content_type: 'video/mp4' }]]);
    const stored = await storeClip(services(objects), planned);
    const [, clip] = stored.input.media;
    expect(clip!.file!.key).toMatch(new RegExp(`^inputs/${planned.id}/[0-9a-f]{64}\\.mp4$`));
    expect(clip!.url).toBe(`s3://uploads/${clip!.file!.key}`);
    const again = await storeClip(services(objects), planned);
    expect(again.input.media[1]).toEqual({ ...clip, file: { ...clip!.file, version_id: undefined } });
    expect(objects.size).toBe(2);
  });

  test('that is gone fails the video, with the reason', async () => {
    const planned = await taken(sidecar());
    const send = async () => {
      throw new NoSuchKey({ message: 'The object does not exist.', $metadata: {} });
    };
    const s3 = { send } as unknown as ReturnType<typeof anS3>;
    expect(await storeClip({ ...services(new Map()), s3 }, planned)).toMatchObject({
      id: planned.id,
      status: 'failed',
      error: { billed: false },
      timeline: [{ status: 'failed' }],
    });
    expect((await readVideo(store.table, planned.id))!.status).toBe('queued');
  });
});
