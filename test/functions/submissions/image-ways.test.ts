import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { app1, imageVariant, jpeg, png, webp } from '../../support/image-variants.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { startTable } from '../../support/table.ts';
import { type ImageWays, imageWays, type SentImage } from './image-ways.ts';

let store: Awaited<ReturnType<typeof startTable>>;
let ways: ImageWays;
beforeAll(async () => {
  store = await startTable();
  ways = imageWays(store.table);
});
afterAll(() => store.close());

/** Uploads by DashScope and files within a request may have 4 MiB. */
const carried = 4 * 1024 * 1024;

/** What one image becomes in each way. */
const sendBy = async (by: ImageWays, bytes: Buffer): Promise<Record<string, SentImage>> =>
  Object.fromEntries(
    await Promise.all(Object.entries(by).map(async ([way, send]) => [way, await send(bytes)] as const)),
  );

/** The same outcome in each way. */
const inEachWay = (outcome: unknown) => Object.fromEntries(Object.keys(ways).map((way) => [way, outcome]));

test('an image that decoders show, and that fits, becomes a video in each way', async () => {
  const random = seededRandom(31);
  for (let round = 0; round < 60; ) {
    const { name, bytes, width, height, orientation = 1 } = imageVariant(random);
    if (bytes.length > carried) continue;
    round += 1;
    const sent = await sendBy(ways, bytes);
    expect({ name, sent }).toMatchObject({
      sent: inEachWay({ image: { width, height, bytes: bytes.length } }),
    });
    for (const { warnings, error } of Object.values(sent)) {
      expect({ name, error }).toEqual({ name });
      const isTurned = warnings.includes('/input/img_url image_rotated_by_exif');
      expect({ name, isTurned }).toEqual({ name, isTurned: orientation > 1 });
    }
  }
}, 120_000);

describe('a photo that its EXIF orientation turns', () => {
  const photo = jpeg({ width: 1920, height: 1080, before: [app1(6)] });

  test('is accepted with a warning in each way', async () => {
    const accepted = { image: { width: 1920, height: 1080 }, warnings: ['/input/img_url image_rotated_by_exif'] };
    expect(await sendBy(ways, photo)).toMatchObject(inEachWay(accepted));
  });

  test('is refused in each way with a command that turns its pixels if the setting is refuse', async () => {
    const sent = await sendBy(imageWays(store.table, 'refuse'), photo);
    expect(sent).toEqual(
      inEachWay(expect.objectContaining({ error: expect.stringContaining('magick in.jpg -auto-orient out.jpg') })),
    );
    const upright = jpeg({ width: 1920, height: 1080, before: [app1(1)] });
    expect(await sendBy(imageWays(store.table, 'refuse'), upright)).toMatchObject(inEachWay({ warnings: [] }));
  });
});

test('transparency is refused of a PNG and noted of a WEBP, in each way', async () => {
  const size = { width: 400, height: 400 };
  expect(await sendBy(ways, png({ ...size, colorType: 6 }))).toEqual(
    inEachWay(expect.objectContaining({ error: expect.stringContaining('-alpha off out.png') })),
  );
  const noted = { image: size, warnings: ['/input/img_url image_has_alpha'] };
  expect(await sendBy(ways, webp({ ...size, alpha: true }))).toMatchObject(inEachWay(noted));
});

test('a file of another kind is named in each way', async () => {
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  const named = expect.objectContaining({
    error: expect.stringMatching(/a HEIC image.*magick 'in\.heic\[0\]' out\.jpg/),
  });
  expect(await sendBy(ways, heic)).toEqual(inEachWay(named));
});
