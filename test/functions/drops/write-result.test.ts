import { DeleteObjectCommand, type GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FinishServices, finishVideo, finishVideos } from '../../../functions/drops/write-result.ts';
import { withStatusHook } from '../../../functions/entries/on-status-changed.ts';
import { idsInStatus } from '../../../functions/queue/waiting.ts';
import { createLogger } from '../../../functions/shared/logging.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo, firstFrame } from '../../support/videos.ts';
import { linesOf } from '../log-lines.ts';
import { versionedBuckets } from '../versioned-buckets.ts';
import { crashAfter, crashingTable } from '../workflow/support.ts';
import { crashingS3, endAs, endedDrop, freshKey, get, put } from './results.ts';

let store: Awaited<ReturnType<typeof startTable>>;
let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
let table: Table;
let s3: S3Client;
const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
beforeAll(async () => {
  // Each reading of the clock is a millisecond later, so that no two changes of a record are equal.
  store = await startTable(() => clock.now++);
  buckets = await versionedBuckets();
  table = store.table;
  s3 = buckets.s3;
});
afterAll(async () => {
  await buckets.close();
  await store.close();
});

const services = (given: Partial<FinishServices> = {}): FinishServices => ({
  table,
  s3,
  copyVideo: false,
  publish: async () => undefined,
  deleteLeftovers: async () => undefined,
  ...given,
});
async function pending(): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'unfinished')) ids.push(id);
  return ids;
}
// Writes what a test has left, so that no other test meets it.
afterEach(async () => void (await finishVideos(services())));

const resultOf = async (key: string) => {
  const found = await get(s3, 'uploads', `${key}.result.json`);
  return found && { ...found, body: JSON.parse(found.text) };
};
async function dropped(key = freshKey()) {
  return { key, version_id: await put(s3, 'uploads', key, 'an image') };
}

describe('the result next to an image', () => {
  test('has the video by bucket and key, its proof, times, cost, prompts and the origins of its settings, without links', async () => {
    const image = await dropped();
    const settings = { '/input/prompt': 'sidecar', '/model': 'deployment' } as const;
    const video = await endedDrop(table, image, 'succeeded', {
      source: { type: 'drop', bucket: 'uploads', ...image, settings, defaults_key: 'drop/_defaults.json' },
      input: {
        prompt: 'A cat runs',
        negative_prompt: 'blur',
        media: [
          ...firstFrame(`s3://uploads/${image.key}`),
          { type: 'driving_audio', url: 'https://example.com/a.mp3?signature=x' },
        ],
      },
      warnings: [{ pointer: '/input/prompt', code: 'prompt_truncated', message: 'Cut.' }],
    });
    await finishVideo(services(), video);

    const { text, body, type } = (await resultOf(image.key))!;
    expect(type).toBe('application/json');
    expect(text.endsWith('}\n')).toBe(true);
    expect(text).toContain('\n  "status": "succeeded"');
    expect(text).not.toMatch(/https?:|signature/);
    expect(body).toEqual({
      id: video.id,
      status: 'succeeded',
      created_at: video.created_at,
      started_at: video.timeline[1]!.at,
      finished_at: video.timeline.at(-1)!.at,
      image: { bucket: 'uploads', ...image },
      video: {
        bucket: 'videos',
        key: video.video!.key,
        bytes: 5,
        sha256: 'a'.repeat(64),
        content_type: 'video/mp4',
        duration_seconds: 5,
        width: 832,
        height: 480,
        provenance: { c2pa: false, aigc_label: false, watermark: false },
      },
      model: video.model,
      input: { prompt: 'A cat runs', negative_prompt: 'blur' },
      parameters: video.parameters,
      cost: video.cost,
      settings,
      defaults_key: 'drop/_defaults.json',
      warnings: video.warnings,
    });
  });

  test('has a failure with its hint, and a canceled video', async () => {
    const [failed, canceled] = [await dropped(), await dropped()];
    const video = await endedDrop(table, failed);
    await finishVideo(services(), video);
    await finishVideo(services(), await endedDrop(table, canceled, 'canceled'));
    expect((await resultOf(failed.key))!.body).toMatchObject({ status: 'failed', error: video.error });
    expect((await resultOf(canceled.key))!.body).toMatchObject({ status: 'canceled' });
  });

  test.each(['ä ö/über + 100% #1?.png', '日本/猫 🐈.png', "a'b(c)*.png"])('is next to %s', async (name) => {
    const image = await dropped(freshKey(name));
    await finishVideo(services(), await endedDrop(table, image));
    expect((await resultOf(image.key))!.body).toMatchObject({ image: { key: image.key } });
  });

  test('removes the video from those whose result is pending', async () => {
    const video = await endedDrop(table, await dropped());
    expect(await pending()).toEqual([video.id]);
    await finishVideo(services(), video);
    expect(await pending()).toEqual([]);
  });

  test('is written once, however often it is asked for', async () => {
    const image = await dropped();
    const video = await endedDrop(table, image, 'succeeded');
    await put(s3, 'videos', video.video!.key, 'video');
    for (let times = 0; times < 3; times++) await finishVideo(services({ copyVideo: true }), video);
    expect(await buckets.keysBelow('uploads', image.key)).toEqual([
      image.key,
      `${image.key}.mp4`,
      `${image.key}.result.json`,
    ]);
  });

  test('is not written for a request of the API, nor for a drop that has not ended', async () => {
    const image = await dropped();
    const source = { type: 'drop', bucket: 'uploads', ...image } as const;
    const running = aVideo({ source, status: 'running' });
    await finishVideo(services(), running);
    await finishVideo(services(), aVideo({ status: 'failed' }));
    expect(await resultOf(image.key)).toBeUndefined();
  });

  test('is written next to an image that was deleted meanwhile: the folder shows what was paid for', async () => {
    const image = await dropped();
    await s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: image.key }));
    await finishVideo(services(), await endedDrop(table, image));
    expect((await resultOf(image.key))!.body.status).toBe('failed');
  });

  test('replaces a file of the user with that name, of which the bucket keeps the version', async () => {
    const image = await dropped();
    await put(s3, 'uploads', `${image.key}.result.json`, 'mine');
    await finishVideo(services(), await endedDrop(table, image));
    expect((await resultOf(image.key))!.body.status).toBe('failed');
    expect(await buckets.keysBelow('uploads', `${image.key}.result.json`)).toHaveLength(2);
  });

  test('is not written where a key has no room for its name, and is not pending', async () => {
    const image = await dropped(`drop/${'x'.repeat(1010)}.png`);
    await finishVideo(services(), await endedDrop(table, image));
    expect(await pending()).toEqual([]);
  });
});

describe('after a retry', () => {
  const retried = async (image: { key: string; version_id: string }) => {
    const failed = await endedDrop(table, image);
    const queued = (await changeStatus(table, failed, 'queued', { remove: ['error'] }))!;
    return { failed, queued };
  };

  test('the new outcome replaces the old one', async () => {
    const image = await dropped();
    const { failed, queued } = await retried(image);
    await finishVideo(services(), failed);
    const succeeded = await endAs(table, queued, 'succeeded');
    await finishVideo(services(), succeeded);
    expect((await resultOf(image.key))!.body).toMatchObject({ id: failed.id, status: 'succeeded' });
    expect(await pending()).toEqual([]);
  });

  test('the old outcome, written late, neither replaces the new one nor marks it as written', async () => {
    const image = await dropped();
    const { failed, queued } = await retried(image);
    const succeeded = await endAs(table, queued, 'succeeded');
    await finishVideo(services(), failed);
    expect(await pending()).toEqual([succeeded.id]);
    await finishVideo(services(), succeeded);
    await finishVideo(services(), failed);
    expect((await resultOf(image.key))!.body.status).toBe('succeeded');
  });
});

test('an outcome written late does not mark a record as written that has ended the same way again', async () => {
  const failed = await endedDrop(table, await dropped());
  const queued = (await changeStatus(table, failed, 'queued'))!;
  const again = await endAs(table, queued, 'failed');
  expect(again).toMatchObject({ status: failed.status, run: failed.run });
  await finishVideo(services(), failed);
  expect(await pending()).toEqual([again.id]);
});

describe('of an image that was overwritten', () => {
  test.each(['first', 'last'])('the later version has the result, although it ends %s', async (order) => {
    const key = freshKey();
    const earlier = await endedDrop(table, await dropped(key), 'succeeded');
    const later = await endedDrop(table, await dropped(key), 'succeeded');
    for (const { video } of [earlier, later]) await put(s3, 'videos', video!.key, video!.key);
    for (const video of order === 'first' ? [later, earlier] : [earlier, later]) {
      await finishVideo(services({ copyVideo: true }), video);
    }
    expect((await resultOf(key))!.body.id).toBe(later.id);
    expect((await get(s3, 'uploads', `${key}.mp4`))!.text).toBe(later.video!.key);
    expect(await pending()).toEqual([]);
  });

  test('the later version has the result when both are written concurrently', async () => {
    for (let round = 0; round < 2; round++) {
      const key = freshKey();
      const videos: VideoRecord[] = [];
      for (let version = 0; version < 3; version++) {
        const video = await endedDrop(table, await dropped(key), 'succeeded');
        await put(s3, 'videos', video.video!.key, video.video!.key);
        videos.push(video);
      }
      await Promise.all(videos.map((video) => finishVideo(services({ copyVideo: true }), video)));
      expect((await resultOf(key))!.body.id).toBe(videos.at(-1)!.id);
      expect((await get(s3, 'uploads', `${key}.mp4`))!.text).toBe(videos.at(-1)!.video!.key);
    }
  });

  test.each(['PutObjectCommand', 'CopyObjectCommand'])('a write between a read and a %s is noticed', async (name) => {
    const key = freshKey();
    const earlier = await endedDrop(table, await dropped(key), 'succeeded');
    const later = await endedDrop(table, await dropped(key), 'succeeded');
    for (const { video } of [earlier, later]) await put(s3, 'videos', video!.key, video!.key);
    let overtaken = false;
    const send = async (command: GetObjectCommand) => {
      if (!overtaken && command.constructor.name === name) {
        overtaken = true;
        await finishVideo(services({ copyVideo: true }), later);
      }
      return s3.send(command);
    };
    await finishVideo(services({ s3: { send: send as S3Client['send'] }, copyVideo: true }), earlier);
    expect(overtaken).toBe(true);
    expect((await resultOf(key))!.body.id).toBe(later.id);
    expect((await get(s3, 'uploads', `${key}.mp4`))!.text).toBe(later.video!.key);
  });
});

describe('a copy of the video next to its image', () => {
  test('has its bytes and its type, and the result names it', async () => {
    const image = await dropped(freshKey('grüße & co.png'));
    const video = await endedDrop(table, image, 'succeeded');
    await put(s3, 'videos', video.video!.key, 'the video');
    await finishVideo(services({ copyVideo: true }), video);
    expect(await get(s3, 'uploads', `${image.key}.mp4`)).toMatchObject({ text: 'the video', type: 'video/mp4' });
    expect((await resultOf(image.key))!.body.video).toMatchObject({
      key: video.video!.key,
      copy: { bucket: 'uploads', key: `${image.key}.mp4` },
    });
  });

  test('is that of the archived version, also when the key has another', async () => {
    const image = await dropped();
    const video = await endedDrop(table, image, 'succeeded');
    const version_id = await put(s3, 'videos', video.video!.key, 'proven');
    await put(s3, 'videos', video.video!.key, 'another');
    await finishVideo(services({ copyVideo: true }), { ...video, video: { ...video.video!, version_id } });
    expect((await get(s3, 'uploads', `${image.key}.mp4`))!.text).toBe('proven');
  });

  test('is left out when the archived file was deleted, and the result is written', async () => {
    const image = await dropped();
    const video = await endedDrop(table, image, 'succeeded');
    await finishVideo(services({ copyVideo: true }), video);
    expect((await resultOf(image.key))!.body.video).not.toHaveProperty('copy');
    expect(await pending()).toEqual([]);
  });
});

describe('a process that dies', () => {
  test('after any of its effects leaves a result that the sweep writes', async () => {
    let point = 1;
    for (let ended = false; !ended; point++) {
      const image = await dropped();
      const video = await endedDrop(table, image, 'succeeded');
      await put(s3, 'videos', video.video!.key, 'the video');
      const crashing = crashAfter(point);
      const dying = services({ table: crashingTable(table, crashing), s3: crashingS3(s3, crashing), copyVideo: true });
      await finishVideo(dying, video).catch(() => undefined);
      ended = !crashing.died;
      const open = await pending();
      if (open.length > 0) expect(await finishVideos(services({ copyVideo: true }))).toEqual([video.id]);
      expect((await resultOf(image.key))!.body.video.copy).toBeDefined();
      expect((await get(s3, 'uploads', `${image.key}.mp4`))!.text).toBe('the video');
      expect(await pending()).toEqual([]);
      // At most once each, whatever was repeated.
      expect(await buckets.keysBelow('uploads', `${image.key}.`)).toHaveLength(2);
    }
    expect(point).toBeGreaterThan(5);
  });
});

describe('a result that cannot be written', () => {
  const denied: FinishServices['s3'] = { send: () => Promise.reject(new Error('AccessDenied')) };

  test('leaves the video as it ended, and is written by a later sweep', async () => {
    const image = await dropped();
    const logger = createLogger('tested');
    const watched = withStatusHook(table, {
      s3: denied as S3Client,
      publish: services().publish,
      recordMetric: () => undefined,
      logger,
    });
    const source = { type: 'drop', bucket: 'uploads', ...image } as const;
    const video = aVideo({ source, status: 'failed' });
    const lines = await linesOf(async () => {
      expect(await createVideo(watched, video)).toMatchObject({ outcome: 'created' });
    });
    expect(lines).toMatchObject([{ level: 'ERROR', video_id: video.id, error: { message: 'AccessDenied' } }]);
    await expect(finishVideos(services({ s3: denied }))).rejects.toThrow('1 results');
    expect(await finishVideos(services())).toEqual([video.id]);
    expect((await resultOf(image.key))!.body.id).toBe(video.id);
  });

  test('does not stop the others', async () => {
    const gone = await endedDrop(table, { key: 'drop/a.png', version_id: 'v' }, 'failed', {
      source: { type: 'drop', bucket: 'no-such-bucket', key: 'drop/a.png' },
    });
    const image = await dropped();
    await endedDrop(table, image);
    await expect(finishVideos(services())).rejects.toThrow('1 results');
    expect(await resultOf(image.key)).toBeDefined();
    await changeStatus(table, gone, 'queued');
  });

  test('takes a limited time of a sweep, and those behind it are written by later ones', async () => {
    const stuck = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        endedDrop(table, { key: `drop/${index}.png`, version_id: 'v' }, 'failed', {
          source: { type: 'drop', bucket: 'no-such-bucket', key: `drop/${index}.png` },
        }),
      ),
    );
    const image = await dropped();
    const good = await endedDrop(table, image);
    let tries = 0;
    const slow: FinishServices['s3'] = {
      send: ((command: never) => {
        tries++;
        clock.now += 2000;
        return s3.send(command);
      }) as S3Client['send'],
    };
    let sweeps = 0;
    for (; (await resultOf(image.key)) === undefined; sweeps++) {
      tries = 0;
      clock.now += 300_000;
      await finishVideos(services({ s3: slow })).catch(() => undefined);
      expect(tries).toBeLessThan(50);
      expect(sweeps).toBeLessThan(20);
    }
    expect(await pending()).not.toContain(good.id);
    for (const video of stuck) await changeStatus(table, video, 'queued');
  });

  test('is given up after two weeks', async () => {
    const gone = await endedDrop(table, { key: 'drop/a.png', version_id: 'v' }, 'failed', {
      source: { type: 'drop', bucket: 'no-such-bucket', key: 'drop/a.png' },
    });
    clock.now += 13 * 24 * 3600_000;
    await expect(finishVideos(services())).rejects.toThrow('1 results');
    expect(await pending()).toEqual([gone.id]);
    clock.now += 2 * 24 * 3600_000;
    await expect(finishVideos(services())).rejects.toThrow('1 results');
    expect(await pending()).toEqual([]);
    expect(await finishVideos(services())).toEqual([]);
  });
});
