import { setTimeout } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { DroppedObject } from '../../../functions/drops/dropped-object.ts';
import { acceptManifest } from '../../../functions/drops/manifest.ts';
import { beginManifest, moveLines, readManifest } from '../../../functions/drops/manifest-item.ts';
import { finishVideo, finishVideos } from '../../../functions/drops/write-result.ts';
import { replaceWithTombstone } from '../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { png } from '../media/support.ts';
import { crashAfter, crashingTable } from '../workflow/support.ts';
import { asks, body, failingS3, jsonl, useManifests } from './manifests.ts';
import { crashingS3, endAs, get, put } from './results.ts';

const world = useManifests();
const { services, upload, take, mine, resultOf, statusesOf, summaryOf, videoOf, endLine, pending } = world;

const read = async ({ id }: { id?: string }) => (await readVideo(world.table, id!))!;
const unwatched = (): Table => ({ ...world.table, onStatusChanged: undefined });
/** As the function that ended a video, or the sweep, writes its result. */
const tell = (video: VideoRecord, s3: Pick<S3Client, 'send'> = world.s3) =>
  finishVideo(
    {
      table: world.table,
      s3,
      copyVideo: false,
      publish: async () => undefined,
      deleteLeftovers: async () => undefined,
    },
    video,
  );
const sweep = () =>
  finishVideos({
    table: world.table,
    s3: world.s3,
    copyVideo: false,
    publish: async () => undefined,
    deleteLeftovers: async () => undefined,
  });
const retried = async (video: VideoRecord) =>
  (await changeStatus(world.table, video, 'queued', { remove: ['error'] }))!;
const manifestOf = ({ key, version_id }: DroppedObject) => ({ bucket: 'uploads', key, version_id });

describe('the result of a line', () => {
  test('has the video as that of an image does, with the line, its prompt and where its values came from, without a link', async () => {
    const object = await take(asks('A secret prompt'), { ...asks('Another'), metadata: { sku: '0815' } });
    const video = await endLine(2);
    expect(await resultOf(object, 2)).toEqual({
      line: 2,
      manifest: manifestOf(object),
      id: video.id,
      status: 'succeeded',
      created_at: video.created_at,
      started_at: video.timeline[1]!.at,
      finished_at: video.timeline.at(-1)!.at,
      video: expect.objectContaining({ bucket: 'videos', key: video.video!.key, sha256: 'a'.repeat(64) }),
      model: video.model,
      input: { prompt: 'Another' },
      parameters: video.parameters,
      settings: { '/model': 'line', '/input/prompt': 'line', '/metadata/sku': 'line' },
      metadata: { sku: '0815' },
      cost: video.cost,
      warnings: [],
    });
    const { text, type } = (await get(world.s3, 'uploads', `${object.key}.results/000002.json`))!;
    expect(type).toBe('application/json');
    expect(text).not.toMatch(/https?:/);
    expect(await summaryOf(object)).toBeUndefined();
    expect(await pending()).not.toContain(video.id);
  });

  test('follows a retry, and so does the summary; an older outcome written late changes neither', async () => {
    const object = await take(asks('1'), asks('2'));
    await endLine(1);
    const failed = await endLine(2, 'failed');
    expect(await summaryOf(object)).toMatchObject({ succeeded: 1, failed: 1, cost: { amount: 0.1 } });
    const succeeded = await endAs(world.table, await retried(failed), 'succeeded');
    const summary = { succeeded: 2, failed: 0, cost: { amount: 0.2, currency: 'USD' } };
    for (const late of [undefined, failed, succeeded]) {
      if (late) await tell(late);
      expect(await resultOf(object, 2)).toMatchObject({ status: 'succeeded' });
      expect(await summaryOf(object)).toMatchObject(summary);
    }
  });

  test('of an older outcome that is counted while a newer one is written does not count', async () => {
    const object = await take(asks('1'));
    const failed = await endAs(unwatched(), await videoOf(1), 'failed');
    let overtaken = false;
    const send = async (command: { constructor: { name: string } }) => {
      const answer = await world.s3.send(command as never);
      if (!overtaken && command.constructor.name === 'PutObjectCommand') {
        overtaken = true;
        await endAs(world.table, await retried(failed), 'canceled');
      }
      return answer;
    };
    await tell(failed, { send: send as S3Client['send'] });
    expect(overtaken).toBe(true);
    expect(await resultOf(object, 1)).toMatchObject({ status: 'canceled' });
    expect(await summaryOf(object)).toMatchObject({ failed: 0, canceled: 1 });
  });

  test('is counted when many lines end concurrently', async () => {
    const object = await take(...Array.from({ length: 50 }, (_, line) => asks(`${line}`)));
    const videos = await mine();
    await Promise.all(videos.map((video, index) => endAs(world.table, video, index < 10 ? 'succeeded' : 'canceled')));
    expect(world.errors).toEqual([]);
    expect(await pending()).toEqual([]);
    const cost = { amount: 1, currency: 'USD' };
    expect(await summaryOf(object)).toMatchObject({ lines: 50, succeeded: 10, canceled: 40, cost });
  });

  test('that cannot be written does not delay the others, and the sweep writes it', async () => {
    const object = await take(asks('1'), asks('2'));
    const failing = world.watched(unwatched(), failingS3(world.s3, '000001.json'));
    for (const line of [1, 2]) await endAs(failing, await videoOf(line), 'failed');
    expect(world.errors).toHaveLength(1);
    expect(await statusesOf(object)).toEqual([[2, 'failed']]);
    expect(await summaryOf(object)).toBeUndefined();
    expect(await sweep()).toEqual([(await videoOf(1)).id]);
    expect(await statusesOf(object)).toHaveLength(2);
    expect(await summaryOf(object)).toMatchObject({ lines: 2, failed: 2 });
    expect(await pending()).toEqual([]);
  });

  test('stays when the event of its manifest is repeated, although the video was deleted or the line would now be accepted', async () => {
    const object = await upload(jsonl(asks('1'), body('cat.png'), asks('3')));
    await acceptManifest(services(), object);
    await replaceWithTombstone(world.table, await endLine(1));
    await put(world.s3, 'uploads', `${world.folder}/cat.png`, png(400, 380));
    for (const last of [false, true]) {
      if (last) await endLine(3);
      await acceptManifest(services(), object);
      expect((await statusesOf(object)).slice(0, 2)).toEqual([
        [1, 'succeeded'],
        [2, 'refused'],
      ]);
    }
    expect(await summaryOf(object)).toMatchObject({ succeeded: 2, refused: 1 });
  });

  test('stays when its video is deleted while the event of its manifest is handled again', async () => {
    const object = await take(asks('1'));
    const video = await videoOf(1);
    let isDeleted = false;
    const send = async (command: { constructor: { name: string }; input: { Key?: { pk: string } } }) => {
      if (!isDeleted && command.constructor.name === 'GetCommand' && command.input.Key?.pk === `video#${video.id}`) {
        isDeleted = true;
        await replaceWithTombstone(world.table, await endLine(1, 'canceled'));
      }
      return world.table.client.send(command as never);
    };
    await acceptManifest(
      services({ table: { ...world.table, client: { send: send as Table['client']['send'] } } }),
      object,
    );
    expect(isDeleted).toBe(true);
    expect(await resultOf(object, 1)).toMatchObject({ status: 'canceled' });
    expect(await summaryOf(object)).toMatchObject({ canceled: 1, deleted: 0 });
  });

  test('is skipped when its key would be too long, and is not tried again', async () => {
    world.folder = `drop/${world.owner}/${'x'.repeat(960)}`;
    await take(asks('1'), {});
    await endLine(1);
    expect(world.errors).toEqual([]);
    expect(await pending()).toEqual([]);
  });
});

describe('the summary', () => {
  test('counts lines by their endings and adds up their costs, after the last has ended', async () => {
    const object = await take(asks('1'), '{', asks('3'), asks('4'), asks('5'), asks('6'));
    for (const line of [1, 3, 4]) await endLine(line);
    await endLine(5, 'canceled');
    expect(await summaryOf(object)).toBeUndefined();
    await endLine(6, 'failed');
    expect(await summaryOf(object)).toEqual({
      manifest: manifestOf(object),
      status: 'finished',
      created_at: expect.stringMatching(/^2026/),
      finished_at: expect.stringMatching(/^2026/),
      lines: 6,
      ...{ succeeded: 3, failed: 1, canceled: 1, refused: 1, deleted: 0 },
      cost: { amount: 0.3, currency: 'USD' },
    });
  });

  test('is written though all lines end before the manifest is accepted', async () => {
    const object = await upload(jsonl(asks('1'), {}, asks('3')));
    const dispatch = async (video: VideoRecord) => void (await endAs(world.table, video, 'succeeded'));
    await acceptManifest(services({ dispatch }), object);
    expect(world.errors).toEqual([]);
    expect(await summaryOf(object)).toMatchObject({ lines: 3, succeeded: 2, refused: 1, cost: { amount: 0.2 } });
  });

  test('is written once whole when the last lines end at the same time', async () => {
    for (let round = 0; round < 3; round++) {
      const object = await take(...Array.from({ length: 6 }, (_, line) => asks(`${round} ${line}`)));
      const videos = await Promise.all([1, 2, 3, 4, 5, 6].map(videoOf));
      await Promise.all(videos.map((video) => endAs(world.table, video, 'succeeded')));
      expect(world.errors).toEqual([]);
      expect(await summaryOf(object)).toMatchObject({ lines: 6, succeeded: 6, cost: { amount: 0.6 } });
      expect(await pending()).toEqual([]);
      world.folder = `${world.folder}/next`;
    }
  });

  test('is not replaced by an earlier one that is written late', async () => {
    const object = await take(asks('1'));
    const failed = await endAs(unwatched(), await videoOf(1), 'failed');
    let overtaken = false;
    const send = async (command: { constructor: { name: string }; input: { Key?: string } }) => {
      if (
        !overtaken &&
        command.constructor.name === 'PutObjectCommand' &&
        command.input.Key?.endsWith('summary.json')
      ) {
        overtaken = true;
        await endAs(world.table, await retried(failed), 'succeeded');
      }
      return world.s3.send(command as never);
    };
    await tell(failed, { send: send as S3Client['send'] });
    expect(overtaken).toBe(true);
    expect(await summaryOf(object)).toMatchObject({ succeeded: 1, failed: 0 });
  });

  test('needs an item and writes far below the limits of DynamoDB for the largest manifest', async () => {
    const object = { bucket: 'uploads', key: `${world.folder}/manifest.jsonl`, version_id: 'v' };
    const lines = Array.from({ length: 10_000 }, (_, index) => index + 1);
    const cost = { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2026-01-01' } as const;
    await beginManifest(world.table, object, lines, undefined);
    const endings = ['succeeded', 'failed', 'canceled', 'refused', 'deleted'] as const;
    const each = endings.map((ending, index) => ({ line: index + 1, ending }));
    expect((await moveLines(world.table, object, each))!.open!.size).toBe(9995);
    // The table refuses items of more than 400 KB. A number of four digits takes 3 bytes, and one more in a set.
    const few = lines.slice(5, 3005).map((line) => ({ line, ending: 'refused' as const }));
    expect((await moveLines(world.table, object, few))!.open!.size).toBe(6995);
    const rest = lines.slice(3005).map((line) => ({ line, ending: 'succeeded' as const, cost }));
    const moved = (await moveLines(world.table, object, rest))!;
    expect(moved).toMatchObject({ lines: 10_000, cost: 699.5 });
    expect(moved.open).toBeUndefined();
    expect([moved.refused!.size, moved.succeeded!.size]).toEqual([3001, 6996]);
  });
});

describe('a new upload', () => {
  const idsByLine = async () =>
    Object.fromEntries((await mine()).map(({ id, source }) => [source.type === 'manifest' && source.line, id]));

  test('creates videos only for new and changed lines; the others keep theirs, wherever they are now', async () => {
    await take(asks('same'), asks('moves'), asks('before'), asks('twice'));
    const before = await idsByLine();
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(asks('moves')).reverse()));
    const object = await take(asks('same'), asks('after'), asks('twice'), reordered, asks('twice'), asks('new'));
    const videos = await mine();
    expect(videos).toHaveLength(7);
    const now = videos.filter(({ source }) => source.type === 'manifest' && source.version_id === object.version_id);
    expect(now).toHaveLength(6);
    const after = Object.fromEntries(now.map(({ id, source }) => [source.type === 'manifest' && source.line, id]));
    expect([after[1], after[3], after[4]]).toEqual([before[1], before[4], before[2]]);
    for (const line of [2, 5, 6]) expect(Object.values(before)).not.toContain(after[line]);
    expect(new Set(world.dispatched).size).toBe(7);
  });

  test('has the results and the summary of all its lines, also of those that ended before', async () => {
    await take(asks('succeeds'), asks('fails'), asks('runs'), {});
    await endLine(1);
    await endLine(2, 'failed');
    const object = await take(asks('runs'), asks('fails'), asks('succeeds'));
    expect(await resultOf(object, 3)).toMatchObject({ line: 3, manifest: manifestOf(object), status: 'succeeded' });
    expect(await resultOf(object, 2)).toMatchObject({ line: 2, manifest: manifestOf(object), status: 'failed' });
    expect(await summaryOf(object)).toBeUndefined();
    const [running] = (await mine()).filter(({ status }) => status === 'queued');
    await endAs(world.table, running!, 'succeeded');
    expect(await resultOf(object, 1)).toMatchObject({ id: running!.id, status: 'succeeded' });
    expect(await summaryOf(object)).toMatchObject({ lines: 3, succeeded: 2, failed: 1, cost: { amount: 0.2 } });
  });

  test('that changes nothing pays nothing, and has its results and summary immediately', async () => {
    await take(asks('1'), {});
    await endLine(1);
    const object = await take(asks('1'), {});
    expect(await mine()).toHaveLength(1);
    for (const line of [1, 2]) expect(await resultOf(object, line)).toMatchObject({ manifest: manifestOf(object) });
    expect(await summaryOf(object)).toMatchObject({ manifest: manifestOf(object), succeeded: 1, refused: 1 });
  });

  test('accepts lines that were refused before, when nothing is wrong any more', async () => {
    const none = services({ trustedOrigins: [] });
    const line = { ...asks('1'), input: { prompt: '1', img_url: 'http://127.0.0.1:9/cat.png' } };
    const first = await upload(jsonl(line));
    await acceptManifest(none, first);
    expect(await resultOf(first, 1)).toMatchObject({ status: 'refused' });
    const second = await upload(jsonl(line));
    await acceptManifest(services({ trustedOrigins: ['http://127.0.0.1:9'] }), second);
    await endLine(1);
    expect(await resultOf(second, 1)).toMatchObject({ manifest: manifestOf(second), status: 'succeeded' });
  });

  test('reports a line whose video was deleted, and does not create it again', async () => {
    await take(asks('1'));
    const { id } = await endLine(1);
    await replaceWithTombstone(world.table, await read({ id }));
    const object = await take(asks('1'));
    expect(await mine()).toEqual([]);
    expect(await resultOf(object, 1)).toEqual({ line: 1, manifest: manifestOf(object), id, status: 'deleted' });
    expect(await summaryOf(object)).toMatchObject({ deleted: 1 });
  });

  test('is not disturbed by lines of an earlier one that end late', async () => {
    await take(asks('goes'), asks('stays'));
    const gone = await videoOf(1);
    const object = await take(asks('stays'));
    await endAs(world.table, gone, 'failed');
    expect(await statusesOf(object)).toEqual([]);
    expect(await summaryOf(object)).toBeUndefined();
    expect(await pending()).toEqual([]);
    const [stays] = (await mine()).filter(({ status }) => status === 'queued');
    await endAs(world.table, stays!, 'succeeded');
    expect(await resultOf(object, 1)).toMatchObject({ id: stays!.id, manifest: manifestOf(object) });
    await tell((await readVideo(world.table, gone.id))!);
    expect(await resultOf(object, 1)).toMatchObject({ id: stays!.id });
    expect(await summaryOf(object)).toMatchObject({ lines: 1, succeeded: 1, failed: 0 });
  });

  /** A table on which something happens right before a video is first given to another upload. */
  const interrupted = (first: () => Promise<unknown>): Table => {
    let isDone = false;
    const send = async (command: { input: { UpdateExpression?: string } }) => {
      if (!isDone && command.input.UpdateExpression?.includes('#source')) {
        isDone = true;
        await first();
      }
      return world.table.client.send(command as never);
    };
    return { ...world.table, client: { send: send as Table['client']['send'] } };
  };

  test('loses no video to an earlier one that is being accepted', async () => {
    await take(asks('1'));
    const earlier = await upload(jsonl(asks('1')));
    let later: DroppedObject | undefined;
    const table = interrupted(async () => {
      later = await take(asks('2'), asks('1'));
    });
    await acceptManifest(services({ table }), earlier);
    const { source } = (await mine()).find(({ input }) => input.prompt === '1')!;
    expect(source).toMatchObject({ version_id: later!.version_id, line: 2 });
  });

  test('reports a video that is deleted between its read and its move to the new upload', async () => {
    await take(asks('1'));
    const video = await endLine(1);
    const object = await upload(jsonl(asks('1')));
    await acceptManifest(services({ table: interrupted(() => replaceWithTombstone(world.table, video)) }), object);
    expect(await resultOf(object, 1)).toMatchObject({ manifest: manifestOf(object), status: 'deleted' });
    expect(await summaryOf(object)).toMatchObject({ manifest: manifestOf(object), deleted: 1 });
  });

  test('gets the result of a video that ends between its read and its move to the new upload', async () => {
    await take(asks('1'));
    const object = await upload(jsonl(asks('1')));
    const table = interrupted(() => endLine(1));
    await acceptManifest(services({ table }), object);
    expect(await resultOf(object, 1)).toMatchObject({ manifest: manifestOf(object), status: 'succeeded' });
    expect(await summaryOf(object)).toMatchObject({ manifest: manifestOf(object), succeeded: 1 });
  });

  test('is the one that counts, in any order and repetition of the events', async () => {
    const earlier = await upload(jsonl(asks('1'), asks('2')));
    const later = await upload(jsonl(asks('2'), asks('3')));
    for (const object of [later, earlier, later, earlier]) await acceptManifest(services(), object);
    expect(await mine()).toHaveLength(2);
    for (const line of [1, 2]) await endLine(line);
    expect(await summaryOf(later)).toMatchObject({ manifest: manifestOf(later), lines: 2, succeeded: 2 });
  });

  test('is the one that counts when both are accepted concurrently', async () => {
    for (let round = 0; round < 4; round++) {
      const earlier = await upload(jsonl(asks(`${round} a`), asks(`${round} b`), asks(`${round} c`)));
      const late = setTimeout(round * 10).then(async () => {
        const later = await upload(jsonl(asks(`${round} c`), asks(`${round} b`)));
        await acceptManifest(services(), later);
        return later;
      });
      const [later] = await Promise.all([late, acceptManifest(services(), earlier)]);
      for (const video of await mine()) if (video.status === 'queued') await endAs(world.table, video, 'succeeded');
      expect(world.errors).toEqual([]);
      for (const line of [1, 2]) expect(await resultOf(later, line)).toMatchObject({ manifest: manifestOf(later) });
      expect(await summaryOf(later)).toMatchObject({ manifest: manifestOf(later), lines: 2, succeeded: 2 });
      world.folder = `${world.folder}/next`;
    }
  });

  test('keeps its videos although an earlier one is still being accepted', async () => {
    const lines = Array.from({ length: 11 }, (_, line) => asks(`${line}`));
    const earlier = await upload(jsonl(...lines));
    let later: DroppedObject | undefined;
    const dispatch = async () => {
      // The eleventh line is not begun before one of the first ten is through.
      later ??= await take(...lines.toReversed());
    };
    await acceptManifest(services({ dispatch }), earlier);
    expect(await mine()).toHaveLength(11);
    for (const { source } of await mine()) expect(source).toMatchObject({ version_id: later!.version_id });
  });

  test('is never replaced by an earlier one whose acceptance began before it', async () => {
    const earlier = await upload(jsonl(asks('1'), asks('2')));
    let later: DroppedObject | undefined;
    const send = async (command: { constructor: { name: string } }) => {
      const answer = await world.s3.send(command as never);
      // The earlier upload has just been found to be the newest.
      if (command.constructor.name === 'HeadObjectCommand') later ??= await take(asks('2'));
      return answer;
    };
    await acceptManifest(services({ s3: { send: send as S3Client['send'] } }), earlier);
    expect(await readManifest(world.table, earlier)).toMatchObject({ version_id: later!.version_id, lines: 1 });
    expect(await mine()).toHaveLength(1);
  });
});

describe('a process that dies after any of its effects', () => {
  const nextFolder = (point: number) => {
    world.owner = `owner-${point}-${world.owner.slice(-8)}`;
    world.folder = `drop/${world.owner}`;
  };

  test('in the acceptance of a new upload leaves nothing that the next does not finish', async () => {
    let point = 1;
    for (let ended = false; !ended; point++) {
      nextFolder(point);
      await take(asks('done'), asks('open'), asks('goes'));
      await endLine(1);
      const object = await upload(jsonl(asks('new'), asks('open'), asks('done')));
      const crashing = crashAfter(point);
      const s3 = crashingS3(world.s3, crashing);
      const table = world.watched(crashingTable(unwatched(), crashing), s3);
      await acceptManifest(services({ table, s3 }), object).catch(() => undefined);
      ended = !crashing.died;
      // What ends before the event comes again is not lost either.
      const [open] = (await mine()).filter(({ input }) => input.prompt === 'open');
      await endAs(world.table, open!, 'failed');
      await acceptManifest(services(), object);
      expect(await mine()).toHaveLength(4);
      const [made] = (await mine()).filter(({ input }) => input.prompt === 'new');
      await endAs(world.table, made!, 'canceled');
      expect(await statusesOf(object)).toEqual([
        [1, 'canceled'],
        [2, 'failed'],
        [3, 'succeeded'],
      ]);
      const counts = { succeeded: 1, failed: 1, canceled: 1 };
      expect(await summaryOf(object)).toMatchObject({ manifest: manifestOf(object), ...counts, cost: { amount: 0.1 } });
    }
    expect(point).toBeGreaterThan(15);
  }, 120_000);

  test('in writing the last result leaves work that the sweep does', async () => {
    let point = 1;
    for (let ended = false; !ended; point++) {
      nextFolder(point);
      const object = await take(asks('1'), {});
      const video = await endAs(unwatched(), await videoOf(1), 'succeeded');
      const crashing = crashAfter(point);
      const table = crashingTable(unwatched(), crashing);
      const s3 = crashingS3(world.s3, crashing);
      await finishVideo(
        { table, s3, copyVideo: false, publish: async () => undefined, deleteLeftovers: async () => undefined },
        video,
      ).catch(() => undefined);
      ended = !crashing.died;
      if ((await pending()).length > 0) expect(await sweep()).toEqual([video.id]);
      expect(await pending()).toEqual([]);
      expect(await statusesOf(object)).toEqual([
        [1, 'succeeded'],
        [2, 'refused'],
      ]);
      expect(await summaryOf(object)).toMatchObject({ succeeded: 1, refused: 1, cost: { amount: 0.1 } });
      // Each result and the summary were written once, whatever was repeated.
      expect(await world.keysBelow(`${object.key}.results/`)).toHaveLength(3);
    }
    expect(point).toBeGreaterThan(7);
  }, 120_000);
});
