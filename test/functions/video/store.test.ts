import { beforeAll, describe, expect, test } from 'vitest';
import { firstOfEachOwner, idsInStatus } from '../../../functions/queue/waiting.ts';
import { deterministicId } from '../../../functions/video/keys.ts';
import { listVideos } from '../../../functions/video/list.ts';
import { changeStatus, changeVideo, createVideo, nextDownload, readVideo } from '../../../functions/video/store.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';

const store = startTable(() => Date.parse('2026-01-01T00:00:01Z'));

test('fifty concurrent writers of one id create one video, and all get it', async () => {
  const id = deterministicId('test', 'one');
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, writer) =>
      createVideo(store.table, aVideo({ id, request_hash: `writer ${writer}` })),
    ),
  );
  expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
  expect(new Set(results.map((result) => result.outcome !== 'deleted' && result.video.request_hash)).size).toBe(1);
});

test('reads what was written, without key attributes', async () => {
  const video = aVideo({ warnings: [{ pointer: '/input/prompt', code: 'cut', message: 'Cut off.' }] });
  await createVideo(store.table, video);
  expect(await readVideo(store.table, video.id)).toEqual(video);
});

describe('a change of status', () => {
  test('succeeds for one of many concurrent writers, with one timeline entry', async () => {
    const video = aVideo();
    await createVideo(store.table, video);
    const won = await Promise.all(
      Array.from({ length: 20 }, () => changeStatus(store.table, video, 'submitting', { set: { run: 1 } })),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    const { timeline, run, status } = (await readVideo(store.table, video.id))!;
    expect({ run, status }).toEqual({ run: 1, status: 'submitting' });
    expect(timeline.map((entry) => entry.status)).toEqual(['queued', 'submitting']);
  });

  test('with an older run changes nothing', async () => {
    const video = aVideo();
    await createVideo(store.table, video);
    const first = (await changeStatus(store.table, video, 'submitting', { set: { run: 1 } }))!;
    await changeVideo(store.table, first, { set: { run: 2 } });
    expect(await changeStatus(store.table, first, 'running')).toBeUndefined();
    expect((await readVideo(store.table, video.id))?.status).toBe('submitting');
  });

  test('that is not allowed throws', async () => {
    await expect(changeStatus(store.table, aVideo(), 'succeeded')).rejects.toThrow(
      'from queued to succeeded is not allowed',
    );
  });

  test('updates the status index until the video is finished', async () => {
    const video = aVideo({ model: 'indexed', owner: 'ivy' });
    const found = async () => {
      const ids: string[] = [];
      for await (const id of idsInStatus(store.table, 'submitting')) ids.push(id);
      return {
        waiting: await firstOfEachOwner(store.table, 'indexed', { started: new Set() }),
        submitting: ids.includes(video.id),
      };
    };
    await createVideo(store.table, video);
    expect(await found()).toEqual({ waiting: [{ owner: 'ivy', id: video.id }], submitting: false });
    const submitting = (await changeStatus(store.table, video, 'submitting'))!;
    expect(await found()).toEqual({ waiting: [], submitting: true });
    await changeStatus(store.table, submitting, 'failed');
    expect(await found()).toEqual({ waiting: [], submitting: false });
  });
});

test('numbers downloads uniquely', async () => {
  const video = aVideo();
  await createVideo(store.table, video);
  const numbers = await Promise.all(Array.from({ length: 10 }, () => nextDownload(store.table, video.id)));
  expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("lists each owner's oldest waiting video, for any owner name", async () => {
  const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
  const videos = ['alice', 'alice', 'a', 'alice$x', 'Zoë'].map((owner, index) =>
    aVideo({ owner, model: 'fair', created_at: at(index) }),
  );
  for (const video of videos) await createVideo(store.table, video);
  const [first, second, a, dollar, zoe] = videos.map(({ owner, id }) => ({ owner, id }));
  const sorted = (waiting: { id: string }[]) => waiting.map(({ id }) => id).sort();
  expect(sorted(await firstOfEachOwner(store.table, 'fair', { started: new Set() }))).toEqual(
    sorted([first!, a!, dollar!, zoe!]),
  );
  expect(sorted(await firstOfEachOwner(store.table, 'fair', { started: new Set([first!.id, a!.id]) }))).toEqual(
    sorted([second!, dollar!, zoe!]),
  );
});

describe('a list', () => {
  const times = Array.from({ length: 25 }, (_, index) => new Date(Date.UTC(2026, 1, 1, 0, 0, index)).toISOString());
  beforeAll(async () => {
    for (const [index, created_at] of times.entries())
      await createVideo(
        store.table,
        aVideo({ owner: 'lister', created_at, status: index % 5 === 0 ? 'failed' : 'queued' }),
      );
  });

  test('shows every video once, newest first, across pages, while new ones are added', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await listVideos(store.table, { owner: 'lister', limit: 4, ...(cursor ? { cursor } : {}) });
      seen.push(...page.videos.map(({ created_at }) => created_at));
      cursor = page.next_cursor;
      await createVideo(
        store.table,
        aVideo({ owner: 'lister', created_at: new Date(Date.UTC(2026, 2, 1)).toISOString() }),
      );
    } while (cursor);
    expect(seen).toEqual([...times].reverse());
  });

  test.each([
    [{ status: 'failed' as const }, 5],
    [{ created_after: times[19]! }, 5 + 7],
    [{ created_before: times[3]! }, 3],
    [{ created_after: times[3]!, created_before: times[6]! }, 2],
    [{ created_after: times[6]!, created_before: times[3]! }, 0],
    [{ owner: 'unknown' }, 0],
  ])('filtered by %j has %i videos', async (query, count) => {
    expect((await listVideos(store.table, { owner: 'lister', limit: 100, ...query })).videos).toHaveLength(count);
  });

  test('with a filter that matches few videos takes few queries, and its cursor continues after them', async () => {
    const owner = 'hoarder';
    const created = Array.from({ length: 1205 }, (_, index) =>
      new Date(Date.UTC(2026, 3, 1, 0, 0, index)).toISOString(),
    );
    await Promise.all(
      created.map((created_at, index) =>
        createVideo(store.table, aVideo({ owner, created_at, status: index === 0 ? 'failed' : 'queued' })),
      ),
    );
    let queries = 0;
    const send = (command: never) => {
      queries++;
      return store.table.client.send(command);
    };
    const counted = { ...store.table, client: { send } as typeof store.table.client };
    const first = await listVideos(counted, { owner, limit: 1, status: 'failed' });
    expect({ found: first.videos.length, queries }).toEqual({ found: 0, queries: 10 });
    const second = await listVideos(counted, { owner, limit: 1, status: 'failed', cursor: first.next_cursor! });
    expect(second.videos.map(({ created_at }) => created_at)).toEqual([created[0]]);
    expect(second.next_cursor).toBeUndefined();
  });

  test('with a filter queries until a page is full', async () => {
    const page = await listVideos(store.table, { owner: 'lister', limit: 4, status: 'failed' });
    expect(page.videos).toHaveLength(4);
    expect(page.next_cursor).toBeDefined();
  });
});

test('repeated returns to the queue add no timeline entries', async () => {
  let video = aVideo();
  await createVideo(store.table, video);
  for (let holds = 0; holds < 5; holds++) {
    for (const to of ['submitting', 'queued'] as const) video = (await changeStatus(store.table, video, to))!;
  }
  expect(video.status).toBe('queued');
  video = (await changeStatus(store.table, (await changeStatus(store.table, video, 'submitting'))!, 'running'))!;
  expect(video.timeline.map(({ status }) => status)).toEqual(['queued', 'submitting', 'running']);
});
