import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { DroppedObject } from '../../../functions/drops/dropped-object.ts';
import { acceptManifest } from '../../../functions/drops/manifest.ts';
import { readVideo } from '../../../functions/video/store.ts';
import { fileOf, urlOfMedia } from '../../support/videos.ts';
import { png } from '../media/support.ts';
import { crashAfter, crashingTable } from '../workflow/support.ts';
import { body, failingS3, jsonl, useManifests } from './manifests.ts';
import { crashingS3, endAs, put } from './results.ts';

const world = useManifests();
const { services, upload, take, mine, resultOf, statusesOf, summaryOf, videoOf } = world;
const image = png(400, 380);
const url = 'https://example.com/cat.png';

const read = async (id: string) => (await readVideo(world.table, id))!;
const codesOf = (object: DroppedObject, ...lines: number[]) =>
  Promise.all(lines.map(async (line) => (await resultOf(object, line))?.error?.code));

describe('each line of a manifest', () => {
  test('is a request for a video of its owner, with its labels', async () => {
    const labels = { sku: '0815' };
    const object = await take(body(), body(url, { metadata: labels, parameters: { resolution: '480P' } }));
    expect(await videoOf(2)).toMatchObject({
      owner: world.owner,
      status: 'queued',
      metadata: labels,
      input: { prompt: 'A cat runs', media: [{ type: 'first_frame', url }] },
      parameters: { resolution: '480P' },
      source: { type: 'manifest', bucket: 'uploads', key: object.key, version_id: object.version_id, line: 2 },
    });
    expect(world.dispatched.sort()).toEqual((await mine()).map(({ id }) => id).sort());
    expect(await statusesOf(object)).toEqual([]);
    expect(await summaryOf(object)).toBeUndefined();
  });

  test.each([
    ['no JSON', '{"model": ', 'invalid_json'],
    ['a list', '[1]', 'wrong_type'],
    ['null', 'null', 'wrong_type'],
    ['an unknown model', body(url, { model: 'wan9' }), 'unknown_model'],
    ['a model that is no text', body(url, { model: 7 }), 'wrong_type'],
    ['an unknown field', body(url, { prompt: 'x' }), 'unknown_field'],
    ['a private webhook', body(url, { webhook_url: 'https://10.0.0.1/' }), 'private_url'],
    ['a private address', body('http://10.0.0.1/cat.png'), 'private_url'],
    ['no image', { model: 'wan2.2-i2v-flash', input: { prompt: 'x' } }, 'missing'],
    ['an image that is a number', body(7), 'wrong_type'],
    ['a broken inline image', body('data:image/png;base64,AAAA'), 'unsupported_image_type'],
    ['an unknown image', body('cats/none.png'), 'image_not_found'],
    ['an image above the drop folder', body('../../uploads/alice/cat.png'), 'image_not_found'],
    ['half a character in a key', body('\ud800.png'), 'image_not_found'],
    ['an empty key', body(''), 'image_not_found'],
    ['a key as long as an image', body('A'.repeat(100_000)), 'image_not_found'],
    ['bare base64', body(png(400, 380).toString('base64')), 'invalid_url'],
    ["another's upload", body('s3://uploads/uploads/someone/cat.png'), 'upload_not_found'],
    ["another's drop by its address", body('s3://uploads/drop/x/cat.png'), 'image_not_found'],
    ["another bucket's drop folder", body('s3://others/drop/x/cat.png'), 'upload_not_found'],
    ['a line of 7 MB', `{"model":"${'x'.repeat(7_000_000)}"}`, 'line_too_long'],
  ])('that is wrong (%s) does not affect the others', async (_, line, code) => {
    const object = await take(body(), line, body());
    expect(await statusesOf(object)).toEqual([[2, 'refused']]);
    expect(await resultOf(object, 2)).toEqual({
      line: 2,
      manifest: { bucket: 'uploads', key: object.key, version_id: object.version_id },
      status: 'refused',
      error: {
        code,
        message: expect.stringMatching(/./),
        hint: expect.stringMatching(/upload the whole manifest again/),
        retryable: false,
        billed: false,
      },
    });
    expect(await mine()).toHaveLength(2);
  });

  test('is the same video in a later upload with another webhook', async () => {
    const hook = 'https://hooks.example/';
    await take(body(url, { webhook_url: hook }));
    const { id } = await videoOf(1);
    await take(body(url, { webhook_url: 'https://other.example/', webhook_events: 'all' }));
    await take(body());
    expect((await mine()).map((video) => video.id)).toEqual([id]);
    expect(await videoOf(1)).toMatchObject({
      status: 'queued',
      webhook: { url: hook, events: 'endings' },
      source: { line: 1 },
    });
  });

  test('counts, empty or not, with any line end and with a byte order mark before the first', async () => {
    const text = `\ufeff${JSON.stringify(body())}\r\n\r\n \t\n${JSON.stringify(body())}\r\n{\r\n\n${JSON.stringify(body())}`;
    const object = await upload(text);
    await acceptManifest(services(), object);
    expect(await statusesOf(object)).toEqual([[5, 'refused']]);
    for (const line of [1, 4, 7]) expect(await videoOf(line)).toMatchObject({ status: 'queued' });
    expect(await mine()).toHaveLength(3);
  });

  test('that is not UTF-8 does not affect the others', async () => {
    const object = await upload(Buffer.concat([Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), Buffer.from(jsonl(body()))]));
    await acceptManifest(services(), object);
    expect(await statusesOf(object)).toEqual([[1, 'refused']]);
    expect(await videoOf(2)).toBeDefined();
  });
});

describe('the image of a line', () => {
  test('can be inline, and is copied for the video', async () => {
    await take(body(`data:image/png;base64,${image.toString('base64')}`));
    const video = await videoOf(1);
    expect(fileOf(video)).toMatchObject({ bucket: 'uploads', width: 400, height: 380, content_type: 'image/png' });
    expect(fileOf(video)!.key).toMatch(`inputs/${video.id}/`);
  });

  test.each(['cats/1.png', './cats/ä ö+%.jpg', 'a:b.png', '../sister/x.png'])(
    'may be named by a path from the manifest’s folder: %s',
    async (written) => {
      world.folder = `${world.folder}/batch`;
      const key = new URL(
        encodeURI(`./${written}`).replaceAll('%25', '%2525'),
        `s3://x/${world.folder}/manifest.jsonl`,
      );
      await put(world.s3, 'uploads', decodeURIComponent(key.pathname.slice(1).replaceAll('%2525', '%25')), image);
      await take(body(written));
      const video = await videoOf(1);
      expect(video.status).toBe('queued');
      expect(fileOf(video)).toMatchObject({ width: 400, height: 380, content_type: 'image/png' });
      expect(urlOfMedia(video.input)).toBe(`s3://uploads/${fileOf(video)!.key}`);
      expect(fileOf(video)!.key).toMatch(`inputs/${video.id}/`);
    },
  );

  test('can be named by its address in the drop folder', async () => {
    await put(world.s3, 'uploads', `${world.folder}/images/a b.png`, image);
    await put(world.s3, 'uploads', 'drop/carol/cat.png', image);
    const address = `s3://uploads/${world.folder}`;
    const object = await take(
      body(`${address}/images/a b.png`),
      ...['none.png', '../carol/cat.png'].map((path) => body(`${address}/${path}`)),
      ...['drop/carol/cat.png', 'drop/../inputs/x.png', 'uploads/carol/x.png'].map((key) =>
        body(`s3://uploads/${key}`),
      ),
    );
    expect(await videoOf(1)).toMatchObject({ status: 'queued' });
    expect(await codesOf(object, 2, 3, 4, 5, 6)).toEqual([
      ...Array.from({ length: 4 }, () => 'image_not_found'),
      'upload_not_found',
    ]);
  });

  test('is found in another Unicode form of its name, again at the next upload', async () => {
    await put(world.s3, 'uploads', `${world.folder}/_images/\u00e9.png`, image);
    await take(body('_images/e\u0301.png'));
    const { id } = await videoOf(1);
    await take(body('_images/e\u0301.png'), body('_images/o\u0308.png'));
    expect(await mine()).toMatchObject([{ id, status: 'queued' }]);
  });

  test('is checked like that of a drop', async () => {
    await put(world.s3, 'uploads', `${world.folder}/small.png`, png(100, 100));
    await put(world.s3, 'uploads', `${world.folder}/notes.png`, 'no image');
    const object = await take(body('small.png'), body('notes.png'));
    expect(await codesOf(object, 1, 2)).toEqual(['image_dimensions', 'unsupported_image_type']);
  });

  test('of another owner is answered like a missing one', async () => {
    await put(world.s3, 'uploads', 'drop/carol/cat.png', image);
    await put(world.s3, 'uploads', 'drop/cat.png', image);
    const object = await take(body('../carol/cat.png'), body('../cat.png'), body('../dave/cat.png'));
    const errors = await Promise.all([1, 2, 3].map(async (line) => (await resultOf(object, line))!.error!));
    for (const { code } of errors) expect(code).toBe('image_not_found');
    expect(new Set(errors.map(({ message }) => message.replace(/"[^"]*"/, '')))).toHaveLength(1);
  });
});

describe('a manifest as a whole', () => {
  const refused = (object: { key: string; version_id?: string }, code: string) => ({
    manifest: { bucket: 'uploads', key: object.key, version_id: object.version_id },
    status: 'refused',
    error: { code, message: expect.any(String), hint: expect.any(String), retryable: false, billed: false },
    created_at: expect.any(String),
    finished_at: expect.any(String),
    lines: 0,
    ...{ succeeded: 0, failed: 0, canceled: 0, refused: 0, deleted: 0 },
  });

  test('that is too large is refused without being read', async () => {
    const object = { ...(await upload('{}')), size: 10 * 1024 * 1024 + 1 };
    await acceptManifest(services(), object);
    expect(await summaryOf(object)).toEqual(refused(object, 'manifest_too_large'));
    expect(await world.keysBelow(`${object.key}.results/`)).toHaveLength(1);
  });

  test.each([
    ['of 10,001 lines', '\n'.repeat(10_001), 'too_many_lines'],
    ['of 10 MB of line ends', '\n'.repeat(10 * 1024 * 1024), 'too_many_lines'],
    ['of empty lines', '\r\n\n', 'manifest_empty'],
    ['of nothing', '', 'manifest_empty'],
    ['of JSON that spans lines', JSON.stringify([body()], undefined, 2), 'manifest_not_jsonl'],
    ['of UTF-16', Buffer.from(`\ufeff${jsonl(body(), body())}`, 'utf16le'), 'manifest_not_jsonl'],
  ])('%s is refused by its summary only', async (_, content, code) => {
    const object = await upload(content);
    await acceptManifest(services(), object);
    expect(await summaryOf(object)).toEqual(refused(object, code));
    expect(await world.keysBelow(`${object.key}.results/`)).toHaveLength(1);
  });

  test('in a folder that names no owner is refused', async () => {
    const object = await upload(jsonl(body()), 'drop/not an owner/manifest.jsonl');
    await acceptManifest(services(), object);
    expect(await summaryOf(object)).toEqual(refused(object, 'folder_names_no_owner'));
  });

  test('that has only refused lines has its summary immediately', async () => {
    const object = await take({}, body(7));
    expect(await statusesOf(object)).toEqual([
      [1, 'refused'],
      [2, 'refused'],
    ]);
    expect(await summaryOf(object)).toMatchObject({ status: 'finished', lines: 2, refused: 2 });
  });

  test('that was deleted before it was accepted creates nothing', async () => {
    const object = await upload(jsonl(body()));
    await world.s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: object.key }));
    await acceptManifest(services(), object);
    expect(await mine()).toEqual([]);
    expect(await world.keysBelow(`${object.key}.results/`)).toEqual([]);
  });

  test('that is deleted while it is being accepted is accepted to the end', async () => {
    await put(world.s3, 'uploads', `${world.folder}/cat.png`, image);
    const object = await upload(jsonl(body(), body('cat.png')));
    await expect(acceptManifest(withoutImages(), object)).rejects.toThrow('1 lines');
    await world.s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: object.key }));
    await acceptManifest(services(), object);
    expect(await mine()).toHaveLength(2);
  });

  test('creates nothing twice when its event is repeated, concurrently or later', async () => {
    const object = await upload(jsonl(body(), '{', body()));
    await Promise.all([acceptManifest(services(), object), acceptManifest(services(), object)]);
    await acceptManifest(services(), object);
    expect(await mine()).toHaveLength(2);
    expect(await statusesOf(object)).toEqual([[2, 'refused']]);
  });

  test('has only its first lines dispatched: no model has permits for more', async () => {
    await take(...Array.from({ length: 30 }, () => body()));
    expect(await mine()).toHaveLength(30);
    expect(world.dispatched).toHaveLength(20);
  });

  /** S3 fails when an image is read. */
  const withoutImages = () => services({ s3: failingS3(world.s3, '.png', 'GetObjectCommand') });

  test('is accepted although some lines cannot be read now, and these when the event is repeated', async () => {
    await put(world.s3, 'uploads', `${world.folder}/cat.png`, image);
    const object = await upload(jsonl({}, body(), body('cat.png'), body()));
    await expect(acceptManifest(withoutImages(), object)).rejects.toThrow('1 lines');
    expect(await mine()).toHaveLength(2);
    expect(await statusesOf(object)).toEqual([[1, 'refused']]);
    await acceptManifest(services(), object);
    expect(await mine()).toHaveLength(3);
  });

  test('of which one result cannot be written has the others, and this one when the event is repeated', async () => {
    const object = await upload(jsonl({}, {}, {}));
    const away = services({ s3: failingS3(world.s3, '000002.json') });
    await expect(acceptManifest(away, object)).rejects.toThrow('1 lines');
    expect((await statusesOf(object)).map(([line]) => line)).toEqual([1, 3]);
    expect(await summaryOf(object)).toBeUndefined();
    await acceptManifest(services(), object);
    expect((await statusesOf(object)).map(([line]) => line)).toEqual([1, 2, 3]);
    expect(await summaryOf(object)).toMatchObject({ lines: 3, refused: 3 });
  });

  test('of a folder whose owner has changed belongs to the new owner, and shows nothing of the previous one', async () => {
    const first = await take(body());
    const [before] = await mine();
    const later = await upload(jsonl(body()));
    world.owner = `${world.owner}-b`;
    await acceptManifest(services({ ownerOf: () => world.owner }), later);
    const [after] = await mine();
    expect(after).toMatchObject({ owner: world.owner, source: { version_id: later.version_id } });
    expect(before).toMatchObject({ source: { version_id: first.version_id } });
    expect(after!.id).not.toBe(before!.id);
  });
});

test('an acceptance that dies after any effect is finished by the next, and nothing is created twice', async () => {
  let point = 1;
  for (let ended = false; !ended; point++) {
    world.owner = `owner-${point}-${world.folder.slice(-8)}`;
    world.folder = `drop/${world.owner}`;
    await put(world.s3, 'uploads', `${world.folder}/cat.png`, image);
    const object = await upload(jsonl(body(), {}, body('cat.png')));
    const crashing = crashAfter(point);
    const s3 = crashingS3(world.s3, crashing);
    // Each video ends immediately: the last one perhaps before the acceptance is over.
    const endEach = {
      dispatch: async ({ id }: { id: string }) => void (await endAs(world.table, await read(id), 'failed')),
    };
    const table = world.watched(crashingTable(world.table, crashing), s3);
    await acceptManifest(services({ table, s3, ...(point % 2 ? endEach : {}) }), object).catch(() => undefined);
    ended = !crashing.died;
    await acceptManifest(services(), object);
    expect(await mine()).toHaveLength(2);
    for (const line of [1, 3]) {
      const video = await videoOf(line);
      if (video.status === 'queued') await endAs(world.table, video, 'failed');
    }
    expect((await statusesOf(object)).map(([, status]) => status)).toEqual(['failed', 'refused', 'failed']);
    expect(await summaryOf(object)).toMatchObject({ status: 'finished', lines: 3, failed: 2, refused: 1 });
  }
  expect(point).toBeGreaterThan(15);
}, 120_000);
