import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ownerOf } from '../../../functions/drops/drop-key.ts';
import type { DroppedObject } from '../../../functions/drops/dropped-object.ts';
import { type ManifestServices, takeManifest } from '../../../functions/drops/manifest.ts';
import { lineId } from '../../../functions/drops/manifest-item.ts';
import { refreshManifests } from '../../../functions/drops/manifest-refresh.ts';
import type { ManifestRow } from '../../../functions/drops/manifest-row.ts';
import { originLabels } from '../../../functions/drops/result-object.ts';
import { mediaStoreOf } from '../../../functions/entries/services.ts';
import { idsInStatus } from '../../../functions/queue/waiting.ts';
import { buryVideo } from '../../../functions/video/deletion.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { VideoRecord } from '../../../functions/video/record.ts';
import { changeStatus, createVideo, readVideo } from '../../../functions/video/store.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aVideo } from '../../support/videos.ts';
import { png } from '../media/support.ts';
import { versionedBuckets } from '../versioned-buckets.ts';
import { crashAfter, crashingTable } from '../workflow/support.ts';
import { crashingS3, endAs, get, put } from './results.ts';

let store: Awaited<ReturnType<typeof startTable>>;
let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
let table: Table;
let s3: S3Client;
const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
beforeAll(async () => {
  store = await startTable(() => clock.now++);
  buckets = await versionedBuckets();
  table = store.table;
  s3 = buckets.s3;
});
afterAll(async () => {
  await buckets.close();
  await store.close();
});

/** Each test has an owner and so a folder of its own. */
let owner: string;
let folder: string;
let dispatched: string[];
beforeEach(() => {
  owner = `owner-${randomUUID().slice(0, 8)}`;
  folder = `drop/${owner}`;
  dispatched = [];
});

const picture = png(400, 380);
const url = 'https://example.com/cat.png';
const body = (img_url: unknown = url, given: object = {}) => ({
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat runs', img_url },
  ...given,
});

const services = (given: Partial<ManifestServices> = {}): ManifestServices => ({
  table,
  s3,
  media: mediaStoreOf(given.s3 ?? s3, 'uploads'),
  trustedOrigins: [],
  uploadsBucket: 'uploads',
  wanRegion: 'singapore',
  monthlySpendingLimit: undefined,
  dispatch: async ({ id }) => void dispatched.push(id),
  logUndispatched: () => expect.unreachable(),
  measure: () => undefined,
  ownerOf: (key) => ownerOf(key, { owners: 'folders' }, { owner: 'drops' }),
  ...given,
});

async function upload(content: string | Uint8Array, key = `${folder}/manifest.jsonl`): Promise<DroppedObject> {
  const version_id = await put(s3, 'uploads', key, content);
  return { bucket: 'uploads', key, version_id, size: Buffer.byteLength(content) };
}
const jsonl = (...lines: unknown[]) =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');

const rowsOf = async (object: DroppedObject): Promise<ManifestRow[] | undefined> =>
  (await get(s3, 'uploads', `${object.key}.result.jsonl`))?.text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const mine = async () => (await listVideos(table, { owner, limit: 100 })).videos;
async function open(): Promise<string[]> {
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'manifest')) ids.push(id);
  return ids;
}
/** Ends a manifest's videos, so that no other test meets it. */
async function finish(object: DroppedObject) {
  for (const row of (await rowsOf(object)) ?? []) {
    const video = row.id ? await readVideo(table, row.id) : undefined;
    if (video?.status === 'queued') await changeStatus(table, video, 'canceled');
  }
  await refreshManifests({ table, s3 });
}

async function take(...lines: unknown[]) {
  const object = await upload(jsonl(...lines));
  await takeManifest(services(), object);
  return { object, rows: (await rowsOf(object))! };
}

describe('each line of a manifest', () => {
  test('is a request for a video of its owner, with its labels, and is told by its line', async () => {
    const labels = { sku: '0815' };
    const { object, rows } = await take(body(), body(url, { metadata: labels, parameters: { resolution: '480P' } }));
    const ids = [lineId(object, 1), lineId(object, 2)];
    expect(rows).toEqual([
      { line: 1, id: ids[0], status: 'queued' },
      { line: 2, id: ids[1], status: 'queued', metadata: labels },
    ]);
    const video = await readVideo(table, ids[1]!);
    expect(video).toMatchObject({
      owner,
      status: 'queued',
      metadata: labels,
      input: { prompt: 'A cat runs', img_url: url },
      parameters: { resolution: '480P' },
      source: { type: 'manifest', bucket: 'uploads', key: object.key, version_id: object.version_id, line: 2 },
    });
    expect(dispatched.sort()).toEqual(ids.sort());
    expect((await get(s3, 'uploads', `${object.key}.result.jsonl`))!.type).toBe('application/jsonl');
    await finish(object);
  });

  test.each([
    ['no JSON', '{"model": ', 'invalid_json'],
    ['a list', '[1]', 'wrong_type'],
    ['null', 'null', 'wrong_type'],
    ['a key twice', '{"model":"a","model":"b"}', 'invalid_json'],
    ['an unknown model', body(url, { model: 'wan9' }), 'unknown_model'],
    ['a model that is no text', body(url, { model: 7 }), 'wrong_type'],
    ['an unknown field', body(url, { prompt: 'x' }), 'unknown_field'],
    ['a webhook', body(url, { webhook_url: 'https://example.com/' }), 'not_offered'],
    ['a private address', body('http://10.0.0.1/cat.png'), 'private_url'],
    ['no picture', { model: 'wan2.2-i2v-flash', input: { prompt: 'x' } }, 'missing'],
    ['a picture that is a number', body(7), 'wrong_type'],
    ['a broken inline picture', body('data:image/png;base64,AAAA'), 'unsupported_image_type'],
    ['an unknown picture', body('cats/none.png'), 'image_not_found'],
    ['a picture above the drop folder', body('../../uploads/alice/cat.png'), 'image_not_found'],
    ['half a character in a key', body('\ud800.png'), 'image_not_found'],
    ['an empty key', body(''), 'image_not_found'],
    ['a key as long as a picture', body('A'.repeat(100_000)), 'image_not_found'],
    ["another's upload", body('s3://uploads/uploads/someone/cat.png'), 'upload_not_found'],
    ["another's drop by its address", body('s3://uploads/drop/x/cat.png'), 'image_not_found'],
    ["another bucket's drop folder", body('s3://others/drop/x/cat.png'), 'upload_not_found'],
    ['a line of 7 MB', `{"model":"${'x'.repeat(7_000_000)}"}`, 'line_too_long'],
  ])('that is wrong (%s) spoils only itself', async (_, line, code) => {
    const { object, rows } = await take(body(), line, body());
    expect(rows.map(({ line, status }) => [line, status])).toEqual([
      [1, 'queued'],
      [2, 'failed'],
      [3, 'queued'],
    ]);
    expect(rows[1]).toEqual({
      line: 2,
      status: 'failed',
      error: {
        code,
        message: expect.stringMatching(/./),
        hint: expect.stringMatching(/new manifest/),
        retryable: false,
        billed: false,
      },
    });
    expect(await mine()).toHaveLength(2);
    await finish(object);
  });

  test('counts, empty or not, whatever ends it and whatever stands before the first', async () => {
    const text = `\ufeff${JSON.stringify(body())}\r\n\r\n \t\n${JSON.stringify(body())}\r\n{\r\n\n${JSON.stringify(body())}`;
    const object = await upload(text);
    await takeManifest(services(), object);
    expect((await rowsOf(object))!.map(({ line, status }) => [line, status])).toEqual([
      [1, 'queued'],
      [4, 'queued'],
      [5, 'failed'],
      [7, 'queued'],
    ]);
    await finish(object);
  });

  test('that is not UTF-8 spoils only itself', async () => {
    const object = await upload(Buffer.concat([Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), Buffer.from(jsonl(body()))]));
    await takeManifest(services(), object);
    expect((await rowsOf(object))!.map(({ status }) => status)).toEqual(['failed', 'queued']);
    await finish(object);
  });
});

describe('a picture of a line', () => {
  test('may come inline, and becomes the video’s own', async () => {
    const { object, rows } = await take(body(`data:image/png;base64,${picture.toString('base64')}`));
    const video = (await readVideo(table, rows[0]!.id!))!;
    expect(video.image).toMatchObject({ bucket: 'uploads', width: 400, height: 380, content_type: 'image/png' });
    expect(video.image!.key).toMatch(`inputs/${video.id}/`);
    await finish(object);
  });

  test.each(['cats/1.png', './cats/ä ö+%.jpg', 'a:b.png', '../sister/x.png'])(
    'may be named by a path from the manifest’s folder: %s',
    async (written) => {
      folder = `${folder}/batch`;
      const key = new URL(encodeURI(`./${written}`).replaceAll('%25', '%2525'), `s3://x/${folder}/manifest.jsonl`);
      await put(s3, 'uploads', decodeURIComponent(key.pathname.slice(1).replaceAll('%2525', '%25')), picture);
      const { object, rows } = await take(body(written));
      const video = (await readVideo(table, rows[0]!.id!))!;
      expect(video).toMatchObject({ status: 'queued', image: { width: 400, height: 380, content_type: 'image/png' } });
      expect(video.input.img_url).toBe(`s3://uploads/${video.image!.key}`);
      expect(video.image!.key).toMatch(`inputs/${video.id}/`);
      await finish(object);
    },
  );

  test('may be named by its address in the drop folder', async () => {
    await put(s3, 'uploads', `${folder}/pictures/a b.png`, picture);
    await put(s3, 'uploads', 'drop/somebody/cat.png', picture);
    const address = `s3://uploads/${folder}`;
    const { object, rows } = await take(
      body(`${address}/pictures/a b.png`),
      ...['none.png', '../somebody/cat.png'].map((path) => body(`${address}/${path}`)),
      ...['drop/somebody/cat.png', 'drop/../inputs/x.png', 'uploads/somebody/x.png'].map((key) =>
        body(`s3://uploads/${key}`),
      ),
    );
    expect(rows.map(({ status, error }) => error?.code ?? status)).toEqual([
      'queued',
      ...Array.from({ length: 4 }, () => 'image_not_found'),
      'upload_not_found',
    ]);
    await finish(object);
  });

  test('is looked at as that of a drop', async () => {
    await put(s3, 'uploads', `${folder}/small.png`, png(100, 100));
    await put(s3, 'uploads', `${folder}/notes.png`, 'no picture');
    const { object, rows } = await take(body('small.png'), body('notes.png'));
    expect(rows.map(({ error }) => error!.code)).toEqual(['image_dimensions', 'unsupported_image_type']);
    await finish(object);
  });

  test('of another owner is answered as one that is not there', async () => {
    await put(s3, 'uploads', 'drop/somebody/cat.png', picture);
    await put(s3, 'uploads', 'drop/cat.png', picture);
    const { object, rows } = await take(body('../somebody/cat.png'), body('../cat.png'), body('../nobody/cat.png'));
    for (const { error } of rows) expect(error!.code).toBe('image_not_found');
    expect(new Set(rows.map(({ error }) => error!.message.replace(/"[^"]*"/, '')))).toHaveLength(1);
    await finish(object);
  });
});

describe('a manifest as a whole', () => {
  const failed = (code: string) => [{ status: 'failed', error: expect.objectContaining({ code }) }];

  test('that is too large is told so, unread', async () => {
    const object = { ...(await upload('{}')), size: 10 * 1024 * 1024 + 1 };
    await takeManifest(services(), object);
    expect(await rowsOf(object)).toEqual(failed('manifest_too_large'));
    expect(await open()).toEqual([]);
  });

  test.each([
    ['of 10,001 lines', '\n'.repeat(10_001), 'too_many_lines'],
    ['of 10 MB of line ends', '\n'.repeat(10 * 1024 * 1024), 'too_many_lines'],
    ['of empty lines', '\r\n\n', 'manifest_empty'],
    ['of nothing', '', 'manifest_empty'],
  ])('%s is told so', async (_, content, code) => {
    const object = await upload(content);
    await takeManifest(services(), object);
    expect(await rowsOf(object)).toEqual(failed(code));
  });

  test('in a folder that is nobody’s is told so', async () => {
    const object = await upload(jsonl(body()), 'drop/not an owner/manifest.jsonl');
    await takeManifest(services(), object);
    expect(await rowsOf(object)).toEqual(failed('folder_names_no_owner'));
  });

  test('that is gone is passed over', async () => {
    const object = await upload(jsonl(body()));
    await s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: object.key, VersionId: object.version_id }));
    await takeManifest(services(), object);
    expect(await rowsOf(object)).toBeUndefined();
    expect(await mine()).toEqual([]);
  });

  test('makes nothing twice when its event comes again, at once or later', async () => {
    const object = await upload(jsonl(body(), '{', body()));
    await Promise.all([takeManifest(services(), object), takeManifest(services(), object)]);
    await takeManifest(services(), object);
    expect(await mine()).toHaveLength(2);
    expect(await buckets.keysBelow('uploads', `${object.key}.result`)).toHaveLength(1);
    await finish(object);
  });

  test('makes its lines anew in another version, whose result is the one that stands', async () => {
    const [earlier, later] = [await upload(jsonl(body())), await upload(jsonl(body(), body()))];
    await takeManifest(services(), later);
    await takeManifest(services(), earlier);
    expect(await mine()).toHaveLength(3);
    expect((await rowsOf(later))!.map(({ id }) => id)).toEqual([lineId(later, 1), lineId(later, 2)]);
    await refreshManifests({ table, s3 });
    expect((await rowsOf(later))!.map(({ id }) => id)).toEqual([lineId(later, 1), lineId(later, 2)]);
    await finish(later);
    expect(await open()).toEqual([]);
  });

  test('whose result went to a later version while its videos are under way is done', async () => {
    const { object } = await take(body());
    const later = await take(body());
    await refreshManifests({ table, s3 });
    expect((await rowsOf(object))![0]!.id).toBe(later.rows[0]!.id);
    expect(await open()).toHaveLength(1);
    await finish(later.object);
  });

  test('has only its first lines dispatched at once: no lane has permits for more', async () => {
    const { object, rows } = await take(...Array.from({ length: 30 }, () => body()));
    expect(rows).toHaveLength(30);
    expect(dispatched).toHaveLength(20);
    await finish(object);
  });

  test('is taken as a whole though some lines can’t be looked at now, and these when it comes again', async () => {
    await put(s3, 'uploads', `${folder}/cat.png`, picture);
    const object = await upload(jsonl(body(), body('cat.png'), body()));
    const media = mediaStoreOf(s3, 'uploads');
    const away = services({ media: { ...media, checkImage: () => Promise.reject(new Error('SlowDown')) } });
    await expect(takeManifest(away, object)).rejects.toThrow('1 lines');
    expect(await mine()).toHaveLength(2);
    await takeManifest(services(), object);
    expect((await rowsOf(object))!.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    expect(await mine()).toHaveLength(3);
    await finish(object);
  });
});

test('a taker that dies after any of its effects is finished by the next, and nothing is made twice', async () => {
  let point = 1;
  for (let ended = false; !ended; point++) {
    owner = `owner-${point}-${randomUUID().slice(0, 8)}`;
    folder = `drop/${owner}`;
    await put(s3, 'uploads', `${folder}/cat.png`, picture);
    const object = await upload(jsonl(body(), '{', body('cat.png')));
    const crashing = crashAfter(point);
    const dying = services({ table: crashingTable(table, crashing), s3: crashingS3(s3, crashing) });
    await takeManifest(dying, object).catch(() => undefined);
    ended = !crashing.died;
    await takeManifest(services(), object);
    expect((await rowsOf(object))!.map(({ status }) => status)).toEqual(['queued', 'failed', 'queued']);
    expect(await mine()).toHaveLength(2);
    expect(await buckets.keysBelow('uploads', `${object.key}.result`)).toHaveLength(1);
    await finish(object);
    expect(await open()).toEqual([]);
  }
  expect(point).toBeGreaterThan(10);
}, 60_000);

describe('the result of a manifest', () => {
  const refresh = () => refreshManifests({ table, s3 });
  /** A table of which each read of a video takes a second: thirty fit in, and those that are begun. */
  const slowTable = (): Table => ({
    ...table,
    client: {
      send: ((command: GetCommand) => {
        if (command.input.Key?.pk?.startsWith('video#')) clock.now += 1000;
        return table.client.send(command);
      }) as Table['client']['send'],
    },
  });
  /** Writes over a result as whoever may write to the folder can: with the very labels of ours. */
  const forge = ({ key, version_id = '' }: DroppedObject, rows: readonly unknown[]) =>
    s3.send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: `${key}.result.jsonl`,
        Body: rows.map((row) => JSON.stringify(row)).join('\n'),
        Metadata: originLabels({ bucket: 'uploads', key, version_id }),
      }),
    );

  test('follows its videos, is written only when something has changed, and for the last time when all have ended', async () => {
    const { object, rows } = await take(body(), '{', body());
    const versions = async () => (await buckets.keysBelow('uploads', `${object.key}.result`)).length;
    await refresh();
    expect(await versions()).toBe(1);

    const first = await endAs(table, (await readVideo(table, rows[0]!.id!))!, 'succeeded');
    expect(await refresh()).toEqual([]);
    expect((await rowsOf(object))![0]).toMatchObject({ line: 1, status: 'succeeded', cost: first.cost });
    expect((await rowsOf(object))![0]!.video).toMatchObject({ bucket: 'videos', key: first.video!.key });
    expect(JSON.stringify(await rowsOf(object))).not.toMatch(/https?:|A cat runs/);
    expect(await versions()).toBe(2);

    const last = await endAs(table, (await readVideo(table, rows[2]!.id!))!, 'failed');
    expect(await refresh()).toHaveLength(1);
    expect((await rowsOf(object))!.map(({ line, status }) => [line, status])).toEqual([
      [1, 'succeeded'],
      [2, 'failed'],
      [3, 'failed'],
    ]);
    expect((await rowsOf(object))![2]!.error).toEqual(last.error);
    expect(await open()).toEqual([]);
    await takeManifest(services(), object);
    expect(await open()).toEqual([]);
  });

  test('tells of a video that was deleted', async () => {
    const { object, rows } = await take(body());
    await buryVideo(table, (await readVideo(table, rows[0]!.id!))!);
    expect(await refresh()).toHaveLength(1);
    expect(await rowsOf(object)).toEqual([{ line: 1, id: rows[0]!.id, status: 'deleted' }]);
  });

  test.each(['deleted', 'written over', 'broken'])('comes back when somebody has %s it', async (how) => {
    const { object, rows } = await take(body(), '{', body());
    const key = `${object.key}.result.jsonl`;
    if (how === 'deleted') await s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: key }));
    else await put(s3, 'uploads', key, how === 'broken' ? '{"line":' : 'mine');
    await refresh();
    expect(await rowsOf(object)).toEqual([rows[0], rows[2]]);
    await finish(object);
  });

  test('tells of no video but those of its own lines, whatever somebody who may write to the folder puts into it', async () => {
    const bobs = await createVideo(table, aVideo({ owner: 'bob', metadata: { secret: 'launch' } }, table.now()));
    const bob = await endAs(table, (bobs as { video: VideoRecord }).video, 'succeeded');
    const { object, rows } = await take(body());
    await forge(object, [{ line: 1, id: bob.id, status: 'queued' }]);
    await refresh();
    expect(await rowsOf(object)).toEqual(rows);
    await finish(object);
  });

  test.each([
    ['no row', [null]],
    ['another line', [{ line: 2, status: 'failed' }]],
    ['a line twice', [1, 1].map((line) => ({ line, status: 'queued' }))],
    ['a status that is none', [{ line: 1, status: ['queued'] }]],
    ['more than any result has', [{ line: 1, status: 'failed', error: 'x'.repeat(33 * 1024 * 1024) }]],
  ])('comes back when somebody has put %s into it', async (_, forged) => {
    const { object, rows } = await take(body());
    await forge(object, forged);
    await refresh();
    expect(await rowsOf(object)).toEqual(rows);
    await finish(object);
  });

  test('of more lines than there is time for is told bit by bit, and each gets its turn', async () => {
    const { object, rows } = await take(...Array.from({ length: 60 }, () => body()));
    for (const { id } of rows) await changeStatus(table, (await readVideo(table, id!))!, 'canceled');
    let looks = 0;
    for (let open = 60; open > 0; looks++) {
      clock.now += 60_000;
      await refreshManifests({ table: slowTable(), s3 });
      const left = (await rowsOf(object))!.filter(({ status }) => status === 'queued').length;
      expect(open - left).toBeLessThan(60);
      expect((await rowsOf(object))!.map(({ line }) => line)).toEqual(rows.map(({ line }) => line));
      open = left;
      expect(looks).toBeLessThan(10);
    }
    expect(await open()).toEqual([]);
  });

  test('that was deleted is not told again in part, and not for longer than there is time', async () => {
    const { object, rows } = await take(...Array.from({ length: 60 }, () => body()));
    await s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: `${object.key}.result.jsonl` }));
    const begun = clock.now;
    await refreshManifests({ table: slowTable(), s3 });
    expect(clock.now - begun).toBeLessThan(59_000);
    expect(await rowsOf(object)).toBeUndefined();
    await refresh();
    expect(await rowsOf(object)).toEqual(rows);
    await finish(object);
  });

  test('of a large manifest is looked at less often, for each time it is written whole', async () => {
    // An odd minute: a manifest of 2,000 lines is looked at in the even ones.
    clock.now = Math.ceil(clock.now / 120_000) * 120_000 + 60_000;
    const object = await upload(`${'\n'.repeat(1999)}${jsonl(body())}`);
    await takeManifest(services(), object);
    await finish(object);
    expect((await rowsOf(object))![0]!.status).toBe('queued');
    expect(await open()).toHaveLength(1);

    clock.now += 60_000;
    expect(await refresh()).toHaveLength(1);
    expect((await rowsOf(object))![0]!.status).toBe('canceled');
  });

  test('that can’t be read keeps no other from its turn', async () => {
    const one = await take(body());
    folder = `${folder}/other`;
    const other = await take(body());
    for (const { rows } of [one, other]) await endAs(table, (await readVideo(table, rows[0]!.id!))!, 'failed');
    const send = async (command: { input: { Key?: string } }) => {
      if (command.input.Key?.startsWith(one.object.key)) throw new Error('SlowDown');
      return s3.send(command as never);
    };
    const broken = { send: send as unknown as S3Client['send'] };
    await expect(refreshManifests({ table, s3: broken })).rejects.toThrow('1 results');
    expect((await rowsOf(other.object))![0]!.status).toBe('failed');
    await refresh();
    expect((await rowsOf(one.object))![0]!.status).toBe('failed');
  });

  test('is not begun before all lines are taken', async () => {
    await put(s3, 'uploads', `${folder}/cat.png`, picture);
    const object = await upload(jsonl(body(), body('cat.png')));
    const media = { ...mediaStoreOf(s3, 'uploads'), checkImage: () => Promise.reject(new Error('SlowDown')) };
    await takeManifest(services({ media }), object).catch(() => undefined);
    await refresh();
    expect(await rowsOf(object)).toBeUndefined();
    await takeManifest(services(), object);
    await finish(object);
  });
});
