import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { imageVariant } from '../support/image-variants.ts';
import { pythonWith, run } from '../support/python.ts';
import { seededRandom } from '../support/seeded-random.ts';

const program = `
import json, sys, warnings
from PIL import Image
warnings.simplefilter('ignore')
for name, width, height, orientation in json.load(open(sys.argv[1] + '/list.json')):
    image = Image.open(sys.argv[1] + '/' + name)
    image.load()
    assert (image.size, image.getexif().get(0x112, 1)) == ((width, height), orientation), name
`;

/** The witness for the tests that use these images: what they demand of firstframe is what Pillow does. */
test('Pillow shows every generated image, in its size and orientation', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'firstframe-images-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const random = seededRandom(20251229);
  const list: [string, number, number, number][] = [];
  for (let round = 0; round < 200; round += 1) {
    const { bytes, width, height, orientation = 1 } = imageVariant(random);
    await writeFile(path.join(folder, String(round)), bytes);
    list.push([String(round), width, height, orientation]);
  }
  await writeFile(path.join(folder, 'list.json'), JSON.stringify(list));
  const python = path.join(await pythonWith('pillow==12.0.0'), 'python');
  expect(await run(python, ['-c', program, folder])).toBe(0);
});
