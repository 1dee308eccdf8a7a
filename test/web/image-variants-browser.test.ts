import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { imageVariant } from '../support/image-variants.ts';
import { seededRandom } from '../support/seeded-random.ts';

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openBrowser();
  page = await browser.newPage();
}, 120_000);
afterAll(() => browser?.close());

/** The witness for the tests that use these images: what they demand of firstframe is what a browser does. */
test('a browser shows every generated image, in its size', async () => {
  const random = seededRandom(20251229);
  for (let round = 0; round < 120; round += 1) {
    const { name, bytes, width, height } = imageVariant(random);
    const type = name.split(' ')[0]!.toLowerCase();
    const url = `data:image/${type};base64,${bytes.toString('base64')}`;
    await page.setContent(`<img src="${url}">`);
    const shown = await page.evaluate<number[]>(`(async () => {
      const image = document.querySelector('img');
      await image.decode().catch(() => undefined);
      return [image.naturalWidth, image.naturalHeight];
    })()`);
    // The EXIF orientation may turn it.
    const sides = [width, height];
    expect({ name, shown: shown.toSorted((a, b) => a - b) }).toEqual({ name, shown: sides.toSorted((a, b) => a - b) });
  }
}, 120_000);
