import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findSettingsFiles, listFiles, type SettingsStore } from '../../../functions/drops/settings-files.ts';
import { versionedBuckets } from '../versioned-buckets.ts';

const bucket = 'uploads';
const settings = { input: { prompt: 'p' } };
const foreign = {
  takeout: { title: 'a.jpg', description: '', imageViews: '1', photoTakenTime: { timestamp: '1' } },
  exiftool: [{ SourceFile: 'a.jpg', Model: 'Canon EOS R5', Duration: 5 }],
  galleryDl: { category: 'x', subcategory: 'y', width: 100, resolution: 'high', model: 'Canon' },
  labelme: { version: '5.0', shapes: [], imagePath: 'a.jpg' },
};

let files: Map<string, string>;
let listed: string[];
beforeEach(() => {
  files = new Map();
  listed = [];
});
/** A store of a page of `most` keys. */
const store = (most = 1000): SettingsStore => ({
  async listFiles({ prefix }) {
    listed.push(prefix);
    const below = [...files.keys()].filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'));
    const page = below.sort().slice(0, most);
    return { files: page.map((key) => ({ key, written: 0 })), isTruncated: below.length > most };
  },
  async readFile({ key }) {
    const text = files.get(key);
    if (text === 'refused') throw new Error(`Refused: ${key}`);
    return text === undefined ? undefined : Buffer.from(text);
  },
});
const put = (key: string, content: unknown = settings) =>
  files.set(`drop/${key}`, typeof content === 'string' ? content : JSON.stringify(content));
async function find(key: string, most?: number) {
  files.set(`drop/${key}`, '');
  const { sidecar, defaults, misnamed } = await findSettingsFiles(store(most), { bucket, key: `drop/${key}` });
  return {
    sidecar: sidecar?.key,
    defaults: defaults?.key,
    misnamed: misnamed.map(({ key, name }) => `${key} → ${name}`),
  };
}
const nothing = { sidecar: undefined, defaults: undefined, misnamed: [] };

describe('the sidecar of an image', () => {
  test.each([
    ['a.jpg', 'a.jpg.json'],
    ['a.jpg', 'a.jpg.JSON'],
    ['\u00e9t\u00e9.jpg', 'e\u0301te\u0301.jpg.json'],
    ['e\u0301te\u0301.jpg', '\u00e9t\u00e9.jpg.json'],
    ['\u00e9t\u00e9/a.jpg', 'e\u0301te\u0301/a.jpg.json'],
    ['e\u0301te\u0301/b/a.jpg', '\u00e9t\u00e9/b/a.jpg.json'],
    ['photo', 'photo.json'],
    ['photo.jpg ', 'photo.jpg .json'],
  ])('of %j is found as %j', async (image, sidecar) => {
    put(sidecar);
    expect(await find(image)).toEqual({ ...nothing, sidecar: `drop/${sidecar}` });
  });

  test('is the file whose name is the same in each byte, where there are several', async () => {
    for (const name of ['\u00e9.jpg.JSON', '\u00e9.jpg.json', 'e\u0301.jpg.json', 'E\u0301.JPG.json']) put(name);
    expect((await find('\u00e9.jpg')).sidecar).toBe('drop/\u00e9.jpg.json');
    expect((await find('e\u0301.jpg')).sidecar).toBe('drop/e\u0301.jpg.json');
  });

  test.each(Object.entries(foreign))('is not a file of another program under its name: %s', async (_, content) => {
    put('a.jpg.json', content);
    expect(await find('a.jpg')).toEqual(nothing);
  });

  test.each([settings, {}, { text: 'unknown' }, '', '{"input": {"prom', 'x'])(
    'is any other content: %j',
    async (content) => {
      put('a.jpg.json', content);
      expect(await find('a.jpg')).toMatchObject({ sidecar: 'drop/a.jpg.json', misnamed: [] });
    },
  );
});

describe('a settings file whose name is nearly right', () => {
  test.each([
    ['a.json', 'a.jpg'],
    ['a.jpg.Json', 'a.jpg'],
    ['A.JPG.json', 'a.jpg'],
    ['Mixed.Case.jpg.json', 'mixed.case.JPG'],
    ['a.jpg.json.txt', 'a.jpg'],
    ['a.jpg (1).json', 'a.jpg'],
    ['a.jpeg.json', 'a.jpg'],
    ['E\u0301TE\u0301.jpg.json', '\u00e9t\u00e9.jpg'],
  ])('is reported with the right name: %s next to %s', async (name, image) => {
    put(`x/${name}`);
    expect(await find(`x/${image}`)).toEqual({ ...nothing, misnamed: [`drop/x/${name} → ${image}.json`] });
  });

  test.each([
    ['_defaults.JSON', 'x/'],
    ['_Defaults.json', 'x/'],
    ['_defaults.json.txt', ''],
    ['defaults.json', 'x/y/'],
    ['_default.json', 'x/'],
  ])('%s in drop/%s is reported for each image below it', async (name, folder) => {
    put(folder + name);
    expect(await find('x/y/a.jpg')).toEqual({ ...nothing, misnamed: [`drop/${folder}${name} → _defaults.json`] });
  });

  test('does not matter next to, or above, one that is right', async () => {
    for (const name of ['x/_Defaults.json', 'x/_defaults.json', '_Defaults.json', 'x/a.json', 'x/a.jpg.json'])
      put(name);
    expect(await find('x/a.jpg')).toEqual({
      ...nothing,
      sidecar: 'drop/x/a.jpg.json',
      defaults: 'drop/x/_defaults.json',
    });
  });

  test('matters below one that is right, which does not apply then', async () => {
    put('_defaults.json');
    put('x/_Defaults.json');
    expect((await find('x/a.jpg')).misnamed).toEqual(['drop/x/_Defaults.json → _defaults.json']);
  });

  test('belongs to the image that it fits best', async () => {
    for (const name of ['A.JPG', 'A.JPG.json', 'b.png', 'b.png.json', 'c (1).jpg', 'c (1).json']) put(name);
    for (const image of ['a.jpg', 'b.jpg', 'c.jpg']) expect(await find(image)).toEqual(nothing);
    expect(await find('c (1).jpg')).toMatchObject({ misnamed: ['drop/c (1).json → c (1).jpg.json'] });
  });

  test.each([
    ...Object.values(foreign),
    { name: 'a' },
    [],
    'null',
    '{"model": "Canon", "metadata": {}, "duration": 5}',
  ])('is not a file of another program: %j', async (content) => {
    for (const name of ['a.json', 'A.jpg.json', 'defaults.json']) put(name, content);
    expect(await find('a.jpg')).toEqual(nothing);
  });

  test.each([
    { model: 'wan2.2-i2v-plus' },
    { parameters: { seed: 1 } },
    { prompt: 'x' },
    { Promt: 'x' },
    [{ input: {} }],
    '',
    '{"inp',
    Buffer.from('\ufeff{}', 'utf16le').toString('latin1'),
    { photoTakenTime: {}, input: {} },
  ])('counts when its content may be settings: %j', async (content) => {
    put('a.json', content);
    expect((await find('a.jpg')).misnamed).toHaveLength(1);
  });

  test('is not a file that is too long for settings', async () => {
    put('a.json', { input: { prompt: 'x'.repeat(256 * 1024) } });
    expect(await find('a.jpg')).toEqual(nothing);
  });
});

test.each([
  'a.jpg.supplemental-metadata.json',
  'a.jpg.suppl.json',
  'a.xmp',
  'a.jpg.json.bak',
  'b.jpg.json',
  'c/a.json',
])('other files are not read: %s', async (name) => {
  put(name);
  expect(await find('a.jpg')).toEqual(nothing);
});

test.each(['a.jpg.json', '_defaults.json', 'a.json'])('a file that S3 refuses is an error: %s', async (name) => {
  put(name, 'refused');
  await expect(find('a.jpg')).rejects.toThrow(`Refused: drop/${name}`);
});

describe('a folder of more files than one list has', () => {
  test.each([
    ['IMG_500.jpg.json', { sidecar: 'drop/x/IMG_500.jpg.json' }],
    ['img_500.jpg.json', { misnamed: ['drop/x/img_500.jpg.json → IMG_500.jpg.json'] }],
    ['IMG_500.json', { misnamed: ['drop/x/IMG_500.json → IMG_500.jpg.json'] }],
    ['_defaults.json', { defaults: 'drop/x/_defaults.json' }],
    ['_Defaults.json', { misnamed: ['drop/x/_Defaults.json → _defaults.json'] }],
    ['_DEFAULTS.JSON', { misnamed: ['drop/x/_DEFAULTS.JSON → _defaults.json'] }],
  ])('is searched for %s by the ways to spell it', async (name, expected) => {
    for (let number = 100; number < 999; number++) put(`x/IMG_${number}.jpg`, '');
    put(`x/${name}`);
    expect(await find('x/IMG_500.jpg', 10)).toEqual({ ...nothing, ...expected });
    expect(listed.length).toBeLessThan(12);
  });

  test('is searched for defaults although many names begin as theirs does', async () => {
    for (let number = 100; number < 150; number++) {
      for (const start of ['_DSC', '_abc', '_']) put(`x/${start}${number}.jpg`, '');
    }
    put('x/_defaults.json');
    expect(await find('x/a.jpg', 10)).toEqual({ ...nothing, defaults: 'drop/x/_defaults.json' });
  });

  test('is searched for the sidecar although many names begin as the image does', async () => {
    for (const name of ['photo.jpg.json', 'photo.jpg', 'other.JPG.JSON', '\u00e9.jpg.json']) put(`x/${name}`);
    for (let number = 100; number < 150; number++) {
      for (const stem of ['photo-', 'photo ', 'photo.', 'photo.jpg ', 'photo.jpg-', 'other.', 'e\u0301.']) {
        put(`x/${stem}${number}.jpg`, '');
      }
    }
    expect((await find('x/photo.jpg', 10)).sidecar).toBe('drop/x/photo.jpg.json');
    expect((await find('x/other.JPG', 10)).sidecar).toBe('drop/x/other.JPG.JSON');
    expect((await find('x/e\u0301.jpg', 10)).sidecar).toBe('drop/x/\u00e9.jpg.json');
  });

  test('otherwise, each folder is listed once', async () => {
    await find('x/y/a.jpg');
    expect(listed.sort()).toEqual(['drop/', 'drop/x/', 'drop/x/y/']);
  });

  test('a prefix that S3 would refuse for its length is not asked for', async () => {
    const image = `${'\u00e9'.repeat(500)}.jpg`;
    await find(image);
    for (const prefix of listed) expect(Buffer.byteLength(prefix)).toBeLessThanOrEqual(1024);
    await find(`${'\u00e9'.repeat(400)}/${image.slice(400)}`, 0);
    for (const prefix of listed) expect(Buffer.byteLength(prefix)).toBeLessThanOrEqual(1024);
  });
});

describe('over S3', () => {
  let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
  beforeAll(async () => {
    buckets = await versionedBuckets();
  });
  afterAll(() => buckets.close());

  test('a list has the files of one folder, with each character that a key may have', async () => {
    const names = ['a b+c%20.png', 'line\nbreak.png', '猫\u0001.png', 'e\u0301.png', '&<>".png', 'deep/a.png'];
    const before = Date.now() - 1000;
    for (const name of names) {
      await buckets.s3.send(new PutObjectCommand({ Bucket: bucket, Key: `drop/l/${name}`, Body: 'x' }));
    }
    const { files, isTruncated } = await listFiles(buckets.s3, { bucket, prefix: 'drop/l/' });
    expect(files.map(({ key }) => key).sort()).toEqual(
      names
        .slice(0, -1)
        .map((name) => `drop/l/${name}`)
        .sort(),
    );
    for (const { written } of files) expect(written).toBeGreaterThanOrEqual(before);
    expect(isTruncated).toBe(false);
  });
});
