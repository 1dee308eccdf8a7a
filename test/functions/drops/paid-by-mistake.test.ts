import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SETTLE_SECONDS } from '../../../functions/drops/settings.ts';
import { UnreadableObject } from '../../../functions/shared/s3.ts';
import { startTable } from '../../support/table.ts';
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
const sidecar = { input: { prompt: 'from the file' }, parameters: { seed: 7 } };
const own = { prompt: 'own' };
const now = () => ({ written: store.table.now() });
/** A file that was written long ago. */
const putOld = (...given: Parameters<typeof folder.put>) => folder.put(...given);

describe('no default is paid by mistake: an image is stopped', () => {
  test.each([
    ['a.json', 'a.jpg.json'],
    ['a.jpg.Json', 'a.jpg.json'],
    ['A.JPG.json', 'a.jpg.json'],
    ['a.jpg.json.txt', 'a.jpg.json'],
    ['_defaults.JSON', '_defaults.json'],
    ['_Defaults.json', '_defaults.json'],
    ['../_default.json', '_defaults.json'],
  ])('by a settings file with a name that is nearly right: %s', async (name, right) => {
    const key = new URL(name, 'https://x/drop/x/').pathname.slice(1);
    putOld(key, sidecar);
    const video = await folder.taken('drop/x/a.jpg', imageBytes, own);
    expect(video).toMatchObject({
      status: 'failed',
      error: {
        code: 'settings_misnamed',
        message: expect.stringContaining(`In ${key}: Only the name "${right}" is read here`),
        hint: `Fix ${key}, then upload the image again.`,
        billed: false,
      },
    });
    expect(folder.dispatched).toEqual([]);
  });

  test('and becomes a video when the file gets the right name', async () => {
    putOld('drop/a.json', sidecar);
    const failed = await folder.taken('drop/a.jpg');
    folder.delete('drop/a.json');
    expect(await folder.drop('drop/a.jpg.json', sidecar)).toMatchObject({
      video: { status: 'queued', input: { prompt: 'from the file' }, parameters: { seed: 7 } },
    });
    expect(failed).toMatchObject({ status: 'failed' });
    expect(folder.dispatched).toHaveLength(1);
  });

  test.each([
    ['{"input": {"prom', 'invalid_json'],
    ['', 'invalid_json'],
    ['{"input": {"promt": "x"}}', 'unknown_field'],
    ['{"take": 0}', 'wrong_type'],
  ])('by a sidecar or defaults that are broken: %s', async (content, code) => {
    for (const key of ['drop/1/a.jpg.json', 'drop/2/_defaults.json']) {
      putOld(key, content);
      expect(await folder.taken(key.replace(/[^/]*$/, 'a.jpg'), imageBytes, own)).toMatchObject({
        status: 'failed',
        error: { code, message: expect.stringContaining(`In ${key}: `) },
      });
    }
  });

  test.each([
    [{ promt: 'The cat wakes up' }, 'metadata_misspelt', /"promt" is unknown\. Write prompt,/],
    [{ ...own, negativ_prompt: 'blur' }, 'metadata_misspelt', /Write negative-prompt,/],
    [{ prompt: '%E7%8C' }, 'encoded_text', /\/input\/prompt: The text is encoded/],
    [{ ...own, take: 'two' }, 'wrong_type', /\/take: /],
  ])('by metadata %j', async (metadata, code, message) => {
    const video = await folder.taken('drop/a.jpg', imageBytes, metadata as Record<string, string>);
    expect(video).toMatchObject({
      status: 'failed',
      error: {
        code,
        message: expect.stringMatching(new RegExp(`^In the image's metadata: .*${message.source}`)),
        hint: "Fix the image's metadata, then upload the image again.",
      },
    });
    expect(folder.dispatched).toEqual([]);
  });

  test('with all that is wrong together', async () => {
    putOld('drop/_Defaults.json', sidecar);
    putOld('drop/a.jpg.json', '{');
    const { error } = (await folder.taken('drop/a.jpg', Buffer.from('text'), { promt: 'x' }))!;
    expect(error!.hint).toBe(
      "Fix the image and drop/a.jpg.json and drop/_Defaults.json and the image's metadata, then upload the image again.",
    );
  });

  test('and not waited for where its folder requires sidecars', async () => {
    putOld('drop/_defaults.json', { sidecar: 'required' });
    putOld('drop/a.json', sidecar);
    expect(await folder.drop('drop/a.jpg')).toMatchObject({ video: { error: { code: 'settings_misnamed' } } });
  });
});

describe('a settings file that was just written', () => {
  test.each([
    ['drop/x/a.jpg.json', '', own],
    ['drop/x/a.jpg.json', '{"input": {"prompt": "from the fi', {}],
    ['drop/x/_defaults.json', '{"input": ', own],
    ['drop/_defaults.json', Buffer.from('{"input": {"prompt": "\u00e9').subarray(0, -1), {}],
    ['drop/x/a.jpg.json.tmp', '{"inp', own],
  ])('and is half there is read again after some seconds, when it is whole: %s', async (key, half, metadata) => {
    folder.put(key, half, {}, now());
    expect(await folder.drop('drop/x/a.jpg', imageBytes, metadata as Record<string, string>)).toEqual({
      outcome: 'waiting',
    });
    expect(folder.delays).toEqual([SETTLE_SECONDS]);
    if (key.endsWith('.tmp')) folder.delete(key);
    folder.put(key.replace('.tmp', ''), sidecar, {}, now());
    await folder.wakeUp();
    expect(await folder.videos()).toMatchObject([{ status: 'queued', parameters: { seed: 7 } }]);
    expect(folder.waits).toHaveLength(1);
  });

  test('and is whole counts at its own event, before the image is read again', async () => {
    await folder.drop('drop/a.jpg', imageBytes);
    expect(await folder.drop('drop/a.jpg.json', '', {}, now())).toEqual({ outcome: 'waiting' });
    expect(await folder.drop('drop/a.jpg.json', sidecar, {}, now())).toMatchObject({
      video: { parameters: { seed: 7 } },
    });
    await folder.wakeUp();
    expect(await folder.videos()).toHaveLength(1);
    expect(folder.dispatched.filter((id, at, all) => all.indexOf(id) === at)).toHaveLength(1);
  });

  test('and is still broken later ends with a failed record, without another message', async () => {
    const clock = { now: store.table.now() };
    const late = aDropFolder({ ...store.table, now: () => clock.now });
    late.put('drop/a.jpg.json', '{"input": ', {}, { written: clock.now });
    await late.drop('drop/a.jpg', imageBytes, own);
    clock.now += SETTLE_SECONDS * 1000;
    await late.wakeUp();
    expect(await late.videos()).toMatchObject([{ status: 'failed', error: { code: 'invalid_json' } }]);
    expect(late.delays).toEqual([SETTLE_SECONDS]);
  });

  test('and was repaired after that becomes a video', async () => {
    folder.put('drop/a.jpg.json', '', {}, { written: 0 });
    expect(await folder.taken('drop/a.jpg', imageBytes)).toMatchObject({ status: 'failed' });
    expect(await folder.drop('drop/a.jpg.json', sidecar, {}, now())).toMatchObject({ video: { status: 'queued' } });
  });

  test('by a clock that is ahead is not waited for', async () => {
    folder.put('drop/a.jpg.json', '', {}, { written: store.table.now() + 3600_000 });
    expect(await folder.drop('drop/a.jpg', imageBytes, own)).toMatchObject({ video: { status: 'failed' } });
  });

  test('with another mistake is not waited for', async () => {
    folder.put('drop/a.jpg.json', { input: { promt: 'x' } }, {}, now());
    expect(await folder.drop('drop/a.jpg', imageBytes, own)).toMatchObject({ video: { status: 'failed' } });
    expect(folder.waits).toEqual([]);
  });
});

describe('other files', () => {
  test.each([
    ['a.jpg.supplemental-metadata.json', { title: 'a.jpg', photoTakenTime: {} }],
    ['a.jpg.json', { title: 'a.jpg', photoTakenTime: { timestamp: '1' } }],
    ['a.json', [{ SourceFile: 'a.jpg' }]],
    ['a.jpg.xmp', '<x:xmpmeta/>'],
    ['.__defaults.json', Buffer.from('\0\x05\x16\x07\0\x02\0\0Mac OS X\xd0', 'latin1')],
  ])('of other programs are no settings and stop nothing: %s', async (name, content) => {
    await folder.drop(`drop/${name}`, content);
    expect(await folder.taken('drop/a.jpg')).toMatchObject({
      status: 'queued',
      input: { prompt: 'It comes to life.' },
    });
  });

  test.each([
    ['\u00e9t\u00e9.jpg', 'e\u0301te\u0301.jpg.json'],
    ['e\u0301te\u0301.jpg', '\u00e9t\u00e9.jpg.json'],
  ])('in another Unicode form are the same: %j, %j', async (image, file) => {
    await folder.drop(`drop/before/${file}`, sidecar);
    expect(await folder.drop(`drop/before/${image}`)).toMatchObject({ video: { parameters: { seed: 7 } } });
    await folder.drop(`drop/after/${image}`);
    expect(await folder.drop(`drop/after/${file}`, sidecar)).toMatchObject({ video: { parameters: { seed: 7 } } });
    expect(await folder.videos()).toHaveLength(2);
  });

  test('metadata of other names is ignored with a warning', async () => {
    const metadata = { ...own, project: 'x', mtime: '1' };
    expect(await folder.taken('drop/a.jpg', imageBytes, metadata)).toMatchObject({
      status: 'queued',
      warnings: [{ code: 'unknown_metadata', message: expect.stringContaining('ignored: "project".') }],
    });
  });
});

describe('a file without an ending', () => {
  test.each([
    ['its bytes', imageBytes, ''],
    ['its content type', Buffer.from('text'), 'image/gif'],
    ['the bytes of a format that Wan does not read', Buffer.from('GIF89a'), 'binary/octet-stream'],
  ])('is an image by %s', async (_, bytes, content_type) => {
    expect(await folder.drop('drop/photo', bytes, own, { content_type })).toMatchObject({ outcome: 'created' });
  });

  test('has its sidecar, its wait and its defaults as any image', async () => {
    await folder.drop('drop/photo');
    expect(folder.waits).toHaveLength(1);
    expect(await folder.drop('drop/photo.json', sidecar)).toMatchObject({ video: { parameters: { seed: 7 } } });
  });

  test.each([
    ['text', Buffer.from('hello'), 'text/plain'],
    ['nothing', Buffer.alloc(0), 'image/png'],
    ['a folder of a mount', Buffer.alloc(0), 'application/x-directory'],
  ])('is ignored with %s in it, and so is JSON next to it', async (_, bytes, content_type) => {
    expect(await folder.drop('drop/readme', bytes, {}, { content_type })).toBeUndefined();
    expect(await folder.drop('drop/readme.json', sidecar)).toBeUndefined();
    expect(await folder.videos()).toEqual([]);
  });

  test('is ignored where S3 refuses to return it', async () => {
    const event = folder.put('drop/readme', imageBytes);
    folder.services.readObject = () => Promise.reject(new UnreadableObject('drop/readme', 'AccessDenied'));
    expect(await folder.take(event)).toBeUndefined();
  });
});

test('a take makes another video of the same image and settings', async () => {
  for (const take of [{}, { take: '2' }, { take: '2' }, { take: '1' }]) {
    await folder.drop('drop/a.jpg', imageBytes, { ...own, ...(take as Record<string, string>) });
  }
  expect(await folder.videos()).toHaveLength(2);
  expect((await folder.videos())[0]).toMatchObject({ source: { settings: { '/take': 'metadata' } } });
  await folder.drop('drop/a.jpg.json', { take: 3 });
  await folder.drop('drop/a.jpg', imageBytes, own);
  expect(await folder.videos()).toHaveLength(3);
});

test('a manifest with a name that is nearly right is refused', async () => {
  expect(await folder.drop('drop/x/Manifest.jsonl', '{}')).toBeUndefined();
  expect(folder.outcomes).toMatchObject([{ status: 'refused', error: { code: 'manifest_misnamed' } }]);
  expect(folder.manifests).toEqual([]);
});
