import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { handleDropEvent } from '../../../functions/drops/drop-event.ts';
import { contentOf, readDropItem } from '../../../functions/drops/drop-identity.ts';
import type { ObjectCreated } from '../../../functions/drops/dropped-object.ts';
import { timeToLive } from '../../../functions/shared/table-schema.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus } from '../../../functions/video/store.ts';
import { readItem } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { png } from '../media/support.ts';
import { crashAfter, crashingTable } from '../workflow/support.ts';
import { aDropFolder, bucket, imageBytes } from './support.ts';

const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  // Each reading of the clock is a millisecond later, so that no two changes of a record look alike.
  store = await startTable(() => clock.now++);
});
afterAll(() => store.close());

let folder: ReturnType<typeof aDropFolder>;
beforeEach(() => {
  folder = aDropFolder(store.table);
});

const key = 'drop/cat.png';
const sidecar = `${key}.json`;
const prompt = { prompt: 'A cat runs' };
const asks = (prompt: string) => ({ input: { prompt } });
const failure = { code: 'generation_failed', message: 'Failed.', retryable: true, billed: false, hint: 'Retry.' };

const only = async (): Promise<VideoRecord> => {
  const videos = await folder.videos();
  expect(videos).toHaveLength(1);
  return videos[0]!;
};
const fail = async (video: VideoRecord, given: Partial<VideoRecord> = {}) =>
  (await changeStatus(store.table, video, 'failed', { set: { error: failure, ...given } }))!;
const succeed = async (video: VideoRecord) => {
  let moving = video;
  for (const status of ['submitting', 'running', 'archiving', 'succeeded'] as const)
    moving = (await changeStatus(store.table, moving, status))!;
  return moving;
};
const versionOf = ({ detail }: ObjectCreated) => detail.object['version-id'];

describe('the same bytes and settings under the same key', () => {
  test('are the same video, and its record and result follow the latest upload', async () => {
    await folder.drop(key, imageBytes, prompt);
    const first = await succeed(await only());
    const again = folder.put(key, imageBytes, prompt);
    expect(await folder.take(again)).toMatchObject({ outcome: 'existing', id: first.id });
    const version_id = versionOf(again);
    expect(await only()).toMatchObject({
      source: { version_id },
      input: { media: [{ file: { version_id } }] },
      status: 'succeeded',
    });
    expect(folder.written).toEqual([first.id]);
    expect(folder.dispatched).toEqual([first.id]);
  });

  test('are the same video whatever other metadata changes', async () => {
    await folder.drop(key, imageBytes, prompt);
    expect(await folder.drop(key, imageBytes, { ...prompt, 'cache-control-hint': 'x' })).toMatchObject({
      outcome: 'existing',
    });
  });

  test('are the same video whichever level of the settings a value comes from', async () => {
    await folder.drop(key, imageBytes, prompt);
    folder.put('drop/_defaults.json', asks('A cat runs'));
    folder.put(sidecar, asks('A cat runs'));
    expect(await folder.drop(key, imageBytes, {})).toMatchObject({ outcome: 'existing' });
  });

  test('are the same video whatever their webhook, which stays that of the first upload', async () => {
    const defaults = (fields: object) => folder.put('drop/_defaults.json', { ...asks('A cat runs'), ...fields });
    defaults({ webhook_url: 'https://one.example/hook' });
    const first = await folder.taken(key);
    for (const fields of [{ webhook_url: 'https://two.example/', webhook_events: 'all' }, {}]) {
      defaults(fields);
      expect(await folder.taken(key)).toMatchObject({ id: first!.id });
    }
    expect((await only()).webhook).toEqual({ url: 'https://one.example/hook', events: 'endings' });
  });

  test('are started again with the webhook that the settings name by then, or none', async () => {
    const webhook = (fields: object) => folder.put(sidecar, { ...asks('A cat runs'), ...fields });
    webhook({ webhook_url: 'https://one.example/hook' });
    await folder.taken(key);
    for (const url of ['https://two.example/', undefined]) {
      await fail(await only());
      webhook(url ? { webhook_url: url } : {});
      expect(await folder.drop(key)).toMatchObject({ outcome: 'restarted' });
      expect((await only()).webhook).toEqual(url && { url, events: 'endings' });
    }
  });

  test('never move a video back to an earlier upload', async () => {
    const first = folder.put(key, imageBytes, prompt);
    const second = folder.put(key, imageBytes, prompt);
    await folder.take(second);
    await folder.take(first);
    expect(await only()).toMatchObject({ source: { version_id: versionOf(second) } });
  });

  test('are one video in a bucket without versions', async () => {
    const event = folder.put(key, imageBytes, prompt);
    const { size } = event.detail.object;
    const unversioned = { detail: { ...event.detail, object: { key, size } } };
    folder.services.readObject = async () => ({ bytes: imageBytes, metadata: prompt });
    for (let times = 0; times < 3; times++) await folder.take(unversioned);
    await only();
    folder.services.readObject = async () => ({ bytes: imageBytes, metadata: { prompt: 'A dog runs' } });
    await folder.take(unversioned);
    expect(await folder.videos()).toHaveLength(2);
  });
});

test('whose video has expired is not paid again, while its image is there or when it is uploaded again', async () => {
  const image = folder.put(key, imageBytes, prompt);
  await folder.take(image);
  let video = await only();
  for (const status of ['submitting', 'running', 'archiving', 'succeeded'] as const)
    video = (await changeStatus({ ...store.table, videoRetentionDays: 1 }, video, status))!;
  clock.now += 400 * 24 * 3600_000;
  expect(Date.parse(video.expires_at!)).toBeLessThan(clock.now);
  for (const event of [image, folder.put(key, imageBytes, prompt)])
    expect(await folder.take(event)).toMatchObject({ outcome: 'existing', id: video.id });
  // The lifecycle of the bucket deletes the image, and a sync program uploads it again.
  folder.delete(key);
  expect(await folder.drop(key, imageBytes, prompt)).toMatchObject({ outcome: 'existing', id: video.id });
  expect(folder.dispatched).toEqual([video.id]);
});

describe('a new video', () => {
  test.each<[string, [key: string, bytes: Uint8Array, metadata: Record<string, string>]]>([
    ['other bytes', [key, png(500, 380), prompt]],
    ['another prompt', [key, imageBytes, { prompt: 'A dog runs' }]],
    ['another seed', [key, imageBytes, { ...prompt, seed: '7' }]],
    ['another key', ['drop/copy.png', imageBytes, prompt]],
  ])('comes of %s', async (_, other) => {
    await folder.drop(key, imageBytes, prompt);
    expect(await folder.drop(...other)).toMatchObject({ outcome: 'created' });
    expect(await folder.videos()).toHaveLength(2);
  });

  test('comes of the same upload in another bucket', async () => {
    const event = folder.put(key, imageBytes, prompt);
    await folder.take(event);
    await folder.take({ detail: { ...event.detail, bucket: { name: 'other' } } });
    expect(await folder.videos()).toHaveLength(2);
  });
});

describe('a video that failed without being billed', () => {
  test('is started again by a new upload, with the image of that upload, once', async () => {
    await folder.drop(key, imageBytes, prompt);
    const failed = await fail(await only(), { run: 3, task: { status: 'FAILED' } as VideoRecord['task'] & object });
    const again = folder.put(key, imageBytes, prompt);
    expect(await folder.take(again)).toMatchObject({ outcome: 'restarted', id: failed.id });
    const restarted = await only();
    const version_id = versionOf(again);
    expect(restarted).toMatchObject({
      status: 'queued',
      earlier_runs: 3,
      source: { version_id },
      input: { media: [{ file: { version_id } }] },
    });
    expect(restarted).not.toHaveProperty('error');
    expect(restarted).not.toHaveProperty('task');
    expect(folder.dispatched).toEqual([failed.id, failed.id]);
    await fail(restarted);
    expect(await folder.take(again)).toMatchObject({ outcome: 'existing' });
    expect(await only()).toMatchObject({ status: 'failed' });
  });

  test('stays failed when its own event is repeated', async () => {
    const event = folder.put(key, imageBytes, prompt);
    await folder.take(event);
    await fail(await only());
    expect(await folder.take(event)).toMatchObject({ outcome: 'existing', video: { status: 'failed' } });
  });

  test('is started again by a sidecar that repairs the settings', async () => {
    folder.put(sidecar, '{"input": {"promt": "A cat runs"}}');
    await folder.drop(key);
    expect(await only()).toMatchObject({ status: 'failed' });
    const repaired = folder.put(sidecar, asks('A cat runs'));
    expect(await folder.take(repaired)).toMatchObject({ outcome: 'created', video: { status: 'queued' } });
    expect(await folder.take(repaired)).toMatchObject({ outcome: 'existing' });
    expect((await folder.videos()).map(({ status }) => status).sort()).toEqual(['failed', 'queued']);
  });

  test('is started again by a repaired file that asks for what was resolved without it', async () => {
    folder.put(sidecar, '{');
    await folder.drop(key);
    const refused = await only();
    expect(await folder.drop(sidecar, {})).toMatchObject({ outcome: 'restarted', id: refused.id });
    expect(await only()).toMatchObject({
      status: 'queued',
      input: { media: [{ file: { width: 400 } }] },
      parameters: { resolution: '720P' },
    });
  });

  test('is refused again while its file is broken, and its result names the latest upload', async () => {
    folder.put(sidecar, '{');
    await folder.drop(key);
    const again = folder.put(key);
    expect(await folder.take(again)).toMatchObject({ outcome: 'existing' });
    expect(await only()).toMatchObject({ status: 'failed', source: { version_id: versionOf(again) } });
    expect(folder.written).toEqual([(await only()).id]);
  });
});

test.each<[string, Partial<VideoRecord>]>([
  ['was billed', { error: { ...failure, billed: true } }],
  [
    'may still be running at Wan',
    { task: { status: 'RUNNING', expires_at: '2099-01-01' } as VideoRecord['task'] & object },
  ],
])('a failed video that %s is not started again by an upload', async (_, given) => {
  await folder.drop(key, imageBytes, prompt);
  await fail(await only(), given);
  expect(await folder.drop(key, imageBytes, prompt)).toMatchObject({ outcome: 'existing' });
  expect(await only()).toMatchObject({ status: 'failed' });
});

test('a canceled video is not started again by an upload', async () => {
  await folder.drop(key, imageBytes, prompt);
  await changeStatus(store.table, await only(), 'canceled');
  expect(await folder.drop(key, imageBytes, prompt)).toMatchObject({ outcome: 'existing' });
  expect(await only()).toMatchObject({ status: 'canceled' });
});

describe('the upload of a sidecar alone', () => {
  test('creates the video of an image that has none', async () => {
    folder.put(key);
    expect(await folder.drop(sidecar, asks('a'))).toMatchObject({ outcome: 'created' });
  });

  test.each(['queued', 'succeeded', 'canceled'] as const)(
    'changes nothing when the last video is %s',
    async (status) => {
      await folder.drop(key, imageBytes, prompt);
      if (status === 'succeeded') await succeed(await only());
      if (status === 'canceled') await changeStatus(store.table, await only(), 'canceled');
      expect(await folder.drop(sidecar, asks('another'))).toMatchObject({ outcome: 'existing' });
      expect(await only()).toMatchObject({ status });
    },
  );

  test('decides for the image’s own event too, whatever a later sidecar has', async () => {
    const image = folder.put(key);
    await folder.drop(sidecar, asks('first'));
    await folder.drop(sidecar, asks('second'));
    expect(await folder.take(image)).toMatchObject({ outcome: 'existing' });
    expect(await only()).toMatchObject({ input: { prompt: 'first' } });
  });

  test('leaves an image that another process is accepting to that process', async () => {
    const image = folder.put(key, imageBytes, prompt);
    const crashing = crashAfter(3);
    await expect(
      handleDropEvent({ ...folder.services, table: crashingTable(store.table, crashing) }, image),
    ).rejects.toThrow();
    expect(await folder.videos()).toEqual([]);
    const change = folder.put(sidecar, asks('later'));
    expect(await folder.take(change)).toEqual({ outcome: 'claimed' });
    // The settings have changed, and the process that claimed the video may still create it.
    await expect(folder.take(image)).rejects.toThrow('another process');
    clock.now += 151_000;
    expect(await folder.take(image)).toMatchObject({ outcome: 'created', video: { input: { prompt: 'later' } } });
    await only();
  });
});

describe('a deleted video', () => {
  const isGone = { outcome: 'deleted', id: expect.any(String) };
  beforeEach(async () => {
    await folder.drop(key, imageBytes, prompt);
    await replaceWithTombstone(store.table, await succeed(await only()));
  });

  test('is never created again, however often its image is uploaded, and each upload has the result `deleted`', async () => {
    const again = folder.put(key, imageBytes, prompt);
    const first = await folder.take(again);
    expect(first).toEqual(isGone);
    expect(await folder.take(again)).toEqual(first);
    expect(await folder.drop(sidecar, asks('other'))).toEqual(isGone);
    expect(folder.outcomes[0]).toMatchObject({
      version_id: versionOf(again),
      status: 'deleted',
      hint: expect.stringContaining('"take": 2'),
    });
    expect(await folder.videos()).toEqual([]);
  });

  test('is remembered without a time limit', async () => {
    const { id } = (await folder.drop(key, imageBytes, prompt)) as { id: string };
    expect(await readItem(store.table, id)).not.toHaveProperty(timeToLive);
  });

  test('leaves other settings free', async () => {
    expect(await folder.drop(key, imageBytes, { ...prompt, seed: '7' })).toMatchObject({ outcome: 'created' });
  });
});

test('an image keeps the last hundred claims, however often it is copied', async () => {
  for (let copies = 0; copies < 120; copies++) await folder.drop(key, imageBytes, prompt);
  await only();
  const item = await readDropItem(store.table, contentOf({ bucket, key }, folder.services.defaults.owner, imageBytes));
  expect(item!.claims).toHaveLength(100);
  expect(JSON.stringify(item).length).toBeLessThan(20_000);
});

describe('an image that is written in steps', () => {
  const steps = [imageBytes.subarray(0, 0), imageBytes.subarray(0, imageBytes.length / 2), imageBytes];

  test.each(['when the next step is there', 'after all steps'])('is one video, its events handled %s', async (when) => {
    const events: ObjectCreated[] = [];
    for (const step of steps) {
      events.push(folder.put(key, step, prompt));
      if (when !== 'after all steps') await folder.take(events.at(-1)!);
    }
    for (const event of events) await folder.take(event);
    await folder.wakeUp();
    expect(await only()).toMatchObject({ status: 'queued', source: { version_id: versionOf(events[2]!) } });
  });

  test('and stays cut off is accepted in doubt when its wait is over', async () => {
    await folder.drop(key, steps[1]!, prompt);
    expect(await folder.wakeUp()).toMatchObject([{ outcome: 'created' }]);
  });
});

test('a crash after any effect, with settings that change before the event is repeated, pays for one video', async () => {
  let point = 1;
  for (let ended = false; !ended; point++) {
    folder = aDropFolder(store.table);
    const image = folder.put(key, imageBytes, prompt);
    const crashing = crashAfter(point);
    await handleDropEvent({ ...folder.services, table: crashingTable(store.table, crashing) }, image).catch(
      () => undefined,
    );
    ended = !crashing.died;
    const change = folder.put(sidecar, asks('later'));
    for (const event of [change, image]) await folder.take(event).catch(() => undefined);
    clock.now += 151_000;
    for (const event of [image, change]) await folder.take(event);
    expect(await only()).toMatchObject({ status: 'queued' });
  }
  expect(point).toBeGreaterThan(4);
});

test('a crash after any effect of a restart restarts once', async () => {
  let point = 1;
  for (let ended = false; !ended; point++) {
    folder = aDropFolder(store.table);
    await folder.drop(key, imageBytes, prompt);
    await fail(await only());
    const again = folder.put(key, imageBytes, prompt);
    const crashing = crashAfter(point);
    await handleDropEvent({ ...folder.services, table: crashingTable(store.table, crashing) }, again).catch(
      () => undefined,
    );
    ended = !crashing.died;
    await folder.take(again);
    const restarted = await only();
    expect(restarted).toMatchObject({ status: 'queued' });
    await fail(restarted);
    await folder.take(again);
    expect(await only()).toMatchObject({ status: 'failed' });
  }
  expect(point).toBeGreaterThan(5);
});

test('an image that S3 refuses to return has a result with the reason', async () => {
  const { UnreadableObject } = await import('../../../functions/shared/s3.ts');
  folder.services.readObject = () => Promise.reject(new UnreadableObject(key, 'AccessDenied'));
  expect(await folder.drop(key)).toEqual({ outcome: 'unreadable' });
  expect(folder.outcomes).toMatchObject([
    {
      status: 'refused',
      error: { code: 'object_unreadable', message: expect.stringContaining('drop/cat.png (AccessDenied)') },
    },
  ]);
});
