import { describe, expect, test } from 'vitest';
import {
  foldersOf,
  imageOfSidecar,
  isNearDefaults,
  kindOf,
  ownerOf,
  sidecarRank,
  unicodeForms,
} from '../../../functions/drops/drop-key.ts';

const kinds: Record<ReturnType<typeof kindOf>, string[]> = {
  image: [
    ...['cat.png', 'CAT.JPG', 'a b/c+d%20.WebP', 'cat.gif', 'cat.png.result.json.png', 'manifest.jsonl/cat.png'],
    ...['jpeg', 'jpe', 'jfif', 'jfi', 'jif', 'pjpeg', 'pjp', 'apng', 'bmp', 'dib'].map((ending) => `photo.${ending}`),
    ...['heic', 'heif', 'hif', 'tif', 'tiff', 'avif', 'jxl', 'svg', 'HIF', 'JFIF'].map((ending) => `photo.${ending}`),
    ...['photo.jpg ', 'photo.jfif\u00a0', 'photo.JPG.', 'photo.png\n', '2026.01.05/photo.dib  '],
    // A sign that is reserved at the start of a name is not within it.
    ...['my_images/cat.png', 'cat@2x.png', 'cat~1.jpg', 'C#/5 $ a.jpg', 'trash can.jpg', 'thumbs up/a.png'],
  ],
  last_frame: ['cat.png.last.jpg', 'a b/猫.JPG.Last.PNG', 'photo.heic.last.webp', 'a.png.last.png.last.png'],
  unnamed: ['photo', 'IMG 0001', 'Scan 2026.01.05', 'a.b/photo', '猫', 'cat.猫', 'README', '3f2a-9c'],
  sidecar: [
    ...['cat.png.json', 'CAT.JPG.JSON', 'cat.gif.json', 'photo.jfif.json', 'photo.jpg .json', 'x.hif.JSON'],
    ...['photo.json', 'Scan 2026.01.05.json', 'a/猫.JSON'],
  ],
  manifest: ['manifest.jsonl', 'a/b/manifest.jsonl'],
  misnamed_manifest: [
    ...['Manifest.jsonl', 'manifest.JSONL', 'manifests.jsonl', 'my-manifest.jsonl', 'a/manifest (1).jsonl'],
    ...[
      'manifest.ndjson',
      'manifest.jsonl.txt',
      'manifets.jsonl',
      'manifest.json',
      'a/Manifest.json',
      'manifest.josnl',
    ],
  ],
  other: [
    ...['', 'cat.png/', 'a/', 'notes.txt', 'cat.mp4', 'cat.png.mp4', 'photo.jpg.part', 'batch.jsonl', 'manifest.json5'],
    ...['cat.png.result.json', 'cat.png.json.result.json', 'photo.result.json'],
    ...[
      'manifest.jsonl.results/000001.json',
      'manifest.jsonl.results/summary.json',
      'a/manifest.jsonl.results/cat.png',
    ],
    // Hidden files, trash and thumbnails.
    ...['._cat.png', 'a/._cat.png.json', '.cat.png', '.thumbnails/1.jpg', '.Trash-1000/files/a.jpg', '.git/a.png'],
    ...['@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg', 'a/@eaDir/a.jpg', '@Recycle/a.jpg', '.@__thumb/a.jpg', '#recycle/a.jpg'],
    ...['#snapshot/a.jpg', '$RECYCLE.BIN/S-1-5/$R1.jpg', '~$cat.jpg', '~tmp/a.png', '#cat.jpg#', ' .cat.png'],
    ...[
      '__MACOSX/._a.jpg',
      '__MACOSX/a.jpg',
      'lost+found/a.jpg',
      'LOST+FOUND/a.jpg',
      'System Volume Information/a.jpg',
    ],
    ...['files_trashbin/files/cats.d1/a.jpg', 'files_versions/a.jpg', 'x/thumb/a.jpg'],
    ...['RECYCLER/a.jpg', 'Recycled/a.jpg', 'Trash/a.jpg', 'x/Thumbs/a.jpg', 'thumbnails/a.jpg', 'FOUND.000/a.jpg'],
    ...['Network Trash Folder/a.jpg', 'Temporary Items/a.jpg', 'Thumbs.db', 'ehthumbs.db', 'desktop.ini'],
    ...['AlbumArtSmall.jpg', 'AlbumArt_{5FA05D35}_Large.jpg', './a.png', '../a.png'],
    // Backups, and what is not yet complete.
    ...['cat.jpg~', 'cat.jpg.~1~', 'a~/cat.jpg', 'cat~', 'cat.jpg.!sync', 'cat.jpg.!qB', 'cat.jpg.json~'],
    // Names for files that are done, defaults, and images of manifests.
    ...['_done/a.jpg', 'a/_done/b/a.jpg.json', '_done/manifest.jsonl', '_a.jpg', '_defaults.json', 'a/_defaults.json'],
    ...['_images/cat.png', 'a/_images/b/cat.png.json', '_images/manifest.jsonl', '_IMAGES/cat.png', '_photo'],
  ],
};

describe('what an object is, by its key', () => {
  test.each(Object.entries(kinds).flatMap(([kind, keys]) => keys.map((key) => [`drop/${key}`, kind])))(
    '%j: %s',
    (key, kind) => {
      expect(kindOf(key)).toBe(kind);
    },
  );

  test.each(['dropped/cat.png', 'Drop/cat.png', 'x/drop/cat.png', 'cat.png', 'inputs/some-id/cat.png'])(
    'outside of the drop folder, nothing: %s',
    (key) => {
      expect(kindOf(key)).toBe('other');
    },
  );
});

test('the image of a sidecar has the same name, in each character', () => {
  for (const image of ['drop/a+b %2f/e\u0301.PNG', 'drop/\u00e9.png', 'drop/x.JPEG', 'drop/photo', 'drop/photo.jpg ']) {
    for (const ending of ['.json', '.JSON']) expect(imageOfSidecar(image + ending)).toBe(image);
  }
});

test('a key has up to two Unicode forms', () => {
  const [composed, decomposed] = ['drop/\u00e9t\u00e9.png', 'drop/e\u0301te\u0301.png'];
  expect(unicodeForms(composed)).toEqual([composed, decomposed]);
  expect(unicodeForms(decomposed)).toEqual([decomposed, composed]);
  expect(unicodeForms('drop/a.png')).toEqual(['drop/a.png']);
});

describe('a file next to an image', () => {
  const names: [file: string, image: string, rank: number | undefined][] = [
    ['a.jpg.json', 'a.jpg', 0],
    ['a.jpg.JSON', 'a.jpg', 0],
    ['e\u0301.jpg.json', '\u00e9.jpg', 0],
    ['\u00e9.jpg.json', 'e\u0301.jpg', 0],
    ['photo.json', 'photo', 0],
    ['a.jpg.Json', 'a.jpg', 1],
    ['A.JPG.json', 'a.jpg', 1],
    ['a.jpg.json.txt', 'a.jpg', 1],
    ['a.jpg.json.json', 'a.jpg', 1],
    ['a.jpg.json (1)', 'a.jpg', 1],
    ['a.jpg.json ', 'a.jpg', 1],
    ['a.jpg.json.tmp', 'a.jpg', 1],
    ['a.jpg .json', 'a.jpg', 1],
    ['a.jpg.json', 'a.jpg ', 1],
    ['a.jpg_json', 'a.jpg', 1],
    ['a.jpg.jsn', 'a.jpg', 1],
    ['a.jpg.json5', 'a.jpg', 1],
    ['a.jpg.jsonl', 'a.jpg', 1],
    ['a.jpg.josn', 'a.jpg', 1],
    ['a.jpg.jso', 'a.jpg', 1],
    ['a.jpg.json.download', 'a.jpg', 1],
    ['a.jason', 'a.jpg', 2],
    ['E\u0301.JPG.json', '\u00e9.jpg', 1],
    ['a.json', 'a.jpg', 2],
    ['A.JSON', 'a.jpg', 2],
    ['a (1).json', 'a (1).jpg', 2],
    ['a.jpeg.json', 'a.jpg', 3],
    ['photo.jpg.json', 'photo', 3],
    ['a.jpg (1).json', 'a.jpg', 4],
    ['a.jpg(1).json', 'a.jpg', 4],
    ['a (1).json', 'a.jpg', 5],
    // Of other images, and of other programs.
    ['b.jpg.json', 'a.jpg', undefined],
    ['aa.json', 'a.jpg', undefined],
    ['IMG_2.json', 'IMG_1.jpg', undefined],
    ['a.jpg.supplemental-metadata.json', 'a.jpg', undefined],
    ['a.jpg.supplemental-meta(1).json', 'a.jpg', undefined],
    ['a.jpg.suppl.json', 'a.jpg', undefined],
    ['a.jpg.result.json', 'a.jpg', undefined],
    ['a.jpg.xmp', 'a.jpg', undefined],
    ['a.jpg.txt', 'a.jpg', undefined],
    ['a.txt', 'a.jpg', undefined],
    ['a.info.json', 'a.jpg', undefined],
    ['a.jpg', 'a.jpg', undefined],
    ['a.jpg.json.bak', 'a.jpg', undefined],
    ['metadata.json', 'a.jpg', undefined],
    ['_defaults.json', 'a.jpg', undefined],
  ];
  test.each(names)('%j next to %j: %s', (file, image, rank) => {
    expect(sidecarRank(image, file)).toBe(rank);
  });
});

describe('a name that was probably meant to be _defaults.json', () => {
  test.each([
    ...['_defaults.JSON', '_Defaults.json', '_DEFAULTS.JSON', '_default.json', 'defaults.json', 'default.json'],
    ...[
      '_defaults.json.txt',
      '_defaults (1).json',
      '_defaults.jsn',
      '.defaults.json',
      '_defautls.json',
      '_defaults .json',
    ],
    ...['_defaults.json.json', '_defaults_json', '__defaults.json', '_defaults.josn', '_defaults.jsonl'],
  ])('%s', (name) => {
    expect(isNearDefaults(name)).toBe(true);
  });

  test.each([
    '_defaults.json',
    'settings.json',
    '_defaults',
    '_defaults.yaml',
    'package.json',
    'a.json',
    '_details.png',
  ])('but not %s', (name) => {
    expect(isNearDefaults(name)).toBe(false);
  });
});

test('defaults are looked for in the folder of the image, then in each above it, and not outside the drop folder', () => {
  expect(foldersOf('drop/a/b//c.png')).toEqual(['drop/a/b//', 'drop/a/b/', 'drop/a/', 'drop/']);
  expect(foldersOf('drop/c.png')).toEqual(['drop/']);
});

describe('the owner of a folder that a table lists', () => {
  const [composed, decomposed] = ['\u00c9quipe', 'E\u0301quipe'];
  test.each([
    [composed, decomposed],
    [decomposed, composed],
  ])('is the same in each Unicode form of its name', (listed, used) => {
    const rules = { owners: { [listed]: 'alice' } };
    for (const folder of [listed, used]) {
      expect(ownerOf(`drop/${folder}/a.png`, rules, { owner: 'drops' })).toBe('alice');
    }
    for (const folder of ['Equipe', '__proto__', 'constructor']) {
      expect(ownerOf(`drop/${folder}/a.png`, rules, { owner: 'drops' })).toBe('drops');
    }
  });
});
