import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jpegOrientation } from '../../web/image-plan.ts';
import { openBrowser } from '../support/browser.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { bmp } from '../support/image-variants.ts';
import { png, pngUrl } from '../support/png.ts';
import { withOrientation } from './rotated-jpeg.ts';

let api: Endpoint;
let browser: Browser;
beforeAll(async () => {
  [api, browser] = await Promise.all([openEndpoint(), openBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await api?.close();
});

let page: Page;
/** Script errors and violations of the page's policy. */
let consoleErrors: string[];
beforeEach(async () => {
  await page?.context().close();
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  consoleErrors = [];
  page.on('pageerror', (error) => consoleErrors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') consoleErrors.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(api.url);
});

const image = (width: number, height: number) => ({
  name: 'image.png',
  mimeType: 'image/png',
  buffer: png(width, height),
});
const errorAt = (field: string) => page.locator(`#${field}-error`);
const button = (place: Locator, name: string) => place.getByRole('button', { name: new RegExp(`^${name}(:|$)`) });
const cardOf = (prompt: string) => page.getByRole('listitem').filter({ hasText: prompt });
const statusOf = (card: Locator, label: string) => card.locator('.status', { hasText: label });

/** Prompts are unique: tests find their cards by them. */
let count = 0;
const newPrompt = (text: string): string => {
  count += 1;
  return `${text} ${count}`;
};

/** The model with the highest concurrency at Wan: some of these videos take long. */
const model = 'wan2.5-i2v-preview';

/** Creates a video by the API. @returns its id */
async function create(prompt: string, height = 400): Promise<string> {
  const input = { prompt, img_url: pngUrl(400, height) };
  const { status, body } = await api.post('/videos', { model, input });
  expect(status).toBe(202);
  return String(body.id);
}

/** Creates a video from a drop, and waits until it has ended. */
async function drop(prompt: string, body: Buffer): Promise<void> {
  const key = `drop/reused-${Date.now()}.png`;
  const metadata = { prompt, model };
  await api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key: key, Body: body, Metadata: metadata }));
  const { id } = await api.droppedFrom(key);
  const headers = { authorization: `Bearer ${api.drop_api_key}` };
  await expect.poll(async () => (await api.call(`/videos/${id}`, { headers })).body.status).toBe('failed');
}

/** Resolves when Wan has the video's task: during the submission it cannot be canceled. */
const submitted = (id: string) => api.until(id, ({ status }) => status === 'running');

async function enterKey(key = api.api_key): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Use key' }).click();
  await page.getByText('Key accepted').waitFor();
}

async function fillForm(prompt: string, file = image(400, 400), withKey = true): Promise<void> {
  if (withKey) await page.getByLabel('API key').fill(api.api_key);
  await page.setInputFiles('#image', file);
  await page.getByText(/× \d+ pixels/).waitFor();
  await page.getByLabel('Prompt').fill(prompt);
}
/** The bytes of a submission's inline image. */
const imageOf = (body: { input: { img_url: string } }): Buffer =>
  Buffer.from(body.input.img_url.replace(/^data:[^,]+,/, ''), 'base64');

/** A JPEG whose left half is red and whose right half is blue. */
async function redAndBlue(width: number, height: number): Promise<Buffer> {
  const url = await page.evaluate(
    ([width, height]) => {
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width, height });
      const context = canvas.getContext('2d')!;
      for (const [color, left] of [['red', 0] as const, ['blue', width / 2] as const]) {
        context.fillStyle = color;
        context.fillRect(left, 0, width / 2, height);
      }
      return canvas.toDataURL('image/jpeg');
    },
    [width, height] as const,
  );
  return Buffer.from(url.replace(/^data:[^,]+,/, ''), 'base64');
}

/** The size of a JPEG and the colors at its top and bottom, without its EXIF orientation. */
const colorsOf = (jpeg: Buffer) =>
  page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/jpeg' }));
    const { width, height } = bitmap;
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    const colorAt = (y: number) => {
      const [red = 0, , blue = 0] = context.getImageData(width / 2, y, 1, 1).data;
      return red > blue ? 'red' : 'blue';
    };
    return { width, height, top: colorAt(10), bottom: colorAt(height - 10) };
  }, jpeg.toString('base64'));

const submit = () => page.getByRole('button', { name: 'Create video' }).click();

describe('the form', () => {
  test('turns an image and a prompt into a video that plays', async () => {
    const prompt = newPrompt('[[seconds=8]] The hills wake up');
    await fillForm(prompt, image(2600, 1300));
    expect(await page.locator('#image-note').textContent()).toContain('scaled down from 2600 × 1300');
    const held = page.waitForRequest((request) => request.url().endsWith('?wait=20'));
    await submit();
    expect((await held).headers()['if-none-match']).toMatch(/^".+"$/);

    const card = cardOf(prompt);
    await statusOf(card, 'Ready').waitFor();
    await card.getByRole('button', { name: 'Play' }).click();
    await expect.poll(() => page.evaluate("document.querySelector('.card video').currentTime")).toBeGreaterThan(0.2);
    expect(await card.textContent()).toContain('1344 × 672');
    await expect.poll(() => page.locator('#usage').textContent()).toMatch(/\$\d+\.\d+ spent/);
    for (const file of ['Video (MP4)', 'First frame', 'Metadata']) {
      const opened = page.waitForEvent('popup');
      await card.getByRole('button', { name: file }).click();
      await (await opened).close();
    }
    expect(consoleErrors).toEqual([]);
  }, 120_000);

  test('uploads an image that is too large for a request, and shows the progress', async () => {
    const prompt = newPrompt('A large one');
    await fillForm(prompt, { name: 'large.bmp', mimeType: 'image/bmp', buffer: bmp({ width: 1400, height: 1200 }) });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(
      (url) => url.origin !== new URL(api.url).origin,
      async (route) => {
        await held;
        await route.continue();
      },
    );
    const submission = page.waitForRequest(`${api.url}/videos`);
    await submit();
    await page.getByRole('progressbar', { name: 'Image upload' }).waitFor();
    await page.getByText(/^Uploading \d+ %$/).waitFor();
    release();
    expect((await submission).postDataJSON().input.img_url).toMatch(/^s3:\/\/.+\/uploads\/.+\.bmp$/);
    await cardOf(prompt).waitFor();
    expect(await page.locator('#upload').isVisible()).toBe(false);
    expect(consoleErrors).toEqual([]);
  }, 90_000);

  test('shows what is missing at its field, and sends nothing', async () => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.url()));
    await submit();
    for (const field of ['key', 'image', 'prompt']) expect(await errorAt(field).isVisible()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('key');
    expect(sent).toEqual([]);
  });

  test('shows the issues of the API at their fields', async () => {
    const errors = [
      { pointer: '/input/img_url', code: 'wrong', message: 'Another image.' },
      { pointer: '/parameters/duration', code: 'wrong', message: 'Another duration.' },
    ];
    await fillForm('Something');
    await page.route('**/videos', (route) =>
      route.fulfill({ status: 400, json: { title: 'The request is invalid.', detail: 'Twice.', errors } }),
    );
    await submit();
    await errorAt('image').getByText('Another image.').waitFor();
    expect(await errorAt('duration').textContent()).toBe('Another duration.');
    expect(await errorAt('form').textContent()).toBe('The request is invalid.');
    expect(await page.evaluate('document.activeElement.id')).toBe('image');
  });

  test('shows a rejected key at its field and does not store it', async () => {
    await page.getByLabel('API key').fill('wrong');
    await page.getByRole('button', { name: 'Use key' }).click();
    await errorAt('key').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  test('asks for another key when the API rejects it, and removes everything of its owner', async () => {
    await create(newPrompt('Something of mine'));
    await enterKey();
    await page.getByRole('listitem').first().waitFor();
    await page.route('**/videos*', (route) => route.fulfill({ status: 401, json: {} }));
    await page.getByRole('button', { name: 'Refresh' }).click();
    await errorAt('key').waitFor();
    expect(await page.getByLabel('API key').isVisible()).toBe(true);
    expect(await page.locator('.card').count()).toBe(0);
  });

  test('moves the focus to the next control when the key is accepted', async () => {
    await enterKey();
    expect(await page.evaluate('document.activeElement.id')).toBe('key-remove');
  });

  test('removes the message of a lost connection when the API responds again', async () => {
    await enterKey();
    await fillForm('Something', undefined, false);
    // The list as well: its next background request would remove the message before the test has seen it.
    await page.route('**/videos*', (route) => route.abort());
    await submit();
    await errorAt('form').getByText('does not respond').waitFor();
    await page.unroute('**/videos*');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await errorAt('form').waitFor({ state: 'hidden' });
  });

  test('sends a photo that EXIF rotates upright', async () => {
    const photo = withOrientation(await redAndBlue(600, 400), 6);
    await fillForm('Something', { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: photo });
    expect(await page.locator('#image-note').textContent()).toMatch(/^400 × 600 pixels.+rotated upright/);
    await page.route('**/videos', (route) => route.abort());
    const submission = page.waitForRequest(`${api.url}/videos`);
    await submit();
    const sent = imageOf((await submission).postDataJSON());
    expect(jpegOrientation(sent)).toBe(1);
    // Orientation 6 turns the stored left side to the top.
    expect(await colorsOf(sent)).toEqual({ width: 400, height: 600, top: 'red', bottom: 'blue' });
  });

  test('shows that local videos are emulated', async () => {
    expect(await page.getByText('the prompt is not followed').isVisible()).toBe(true);
  });

  test('rejects an image that is too small', async () => {
    await page.setInputFiles('#image', image(300, 300));
    await errorAt('image').waitFor();
    expect(await errorAt('image').textContent()).toContain('at least 360');
  });
});

describe('a video on the page', () => {
  test('is canceled, retried and, after a question, deleted by keyboard', async () => {
    const prompt = newPrompt('[[pending=600]] It waits');
    const id = await create(prompt);
    await submitted(id);
    await enterKey();
    const card = cardOf(prompt);
    await button(card, 'Cancel').press('Enter');
    await statusOf(card, 'Canceled').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Retry');

    await button(card, 'Retry').press('Enter');
    await submitted(id);
    await button(card, 'Cancel').press('Enter');
    await statusOf(card, 'Canceled').waitFor();

    await button(card, 'Delete').press('Enter');
    await button(card, 'No').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('No');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Delete');
    expect((await api.call(`/videos/${id}`)).status).toBe(200);
    await button(card, 'Delete').press('Enter');
    await button(card, 'No').waitFor();
    await page.keyboard.press('Tab');
    const announced = page.locator('#live-region', { hasText: `Deleted: ${prompt}` }).waitFor({ state: 'attached' });
    await page.keyboard.press('Enter');
    await card.waitFor({ state: 'detached' });
    await announced;
    expect((await api.call(`/videos/${id}`)).status).toBe(404);
    expect(consoleErrors).toEqual([]);
  }, 120_000);

  test('has no open requests once it is deleted', async () => {
    const prompt = newPrompt('[[pending=600]] It is polled');
    const id = await create(prompt);
    await submitted(id);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Two requests stay open until the video is deleted: for its first frame, and the poll.
    await page.route(
      (url) => /first_frame|wait=/.test(url.search),
      async (route) => {
        await held;
        await route.continue().catch(() => undefined);
      },
    );
    const open = Promise.all(
      ['first_frame', 'wait='].map((part) => page.waitForRequest((request) => request.url().includes(part))),
    );
    await enterKey();
    const card = cardOf(prompt);
    const requests = await open;
    await button(card, 'Cancel').click();
    await statusOf(card, 'Canceled').waitFor();
    await button(card, 'Delete').click();
    await button(card, 'Delete').last().click();
    await card.waitFor({ state: 'detached' });
    release();
    for (const request of requests) expect(request.failure()?.errorText).toBe('net::ERR_ABORTED');
    expect(consoleErrors).toEqual([]);
  }, 90_000);

  test('can be retried once it is shown as canceled, before the response to the cancellation', async () => {
    const prompt = newPrompt('[[pending=600]] It is canceled slowly');
    const id = await create(prompt);
    await submitted(id);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/cancel', async (route) => {
      const response = await route.fetch();
      await held;
      await route.fulfill({ response });
    });
    await enterKey();
    const card = cardOf(prompt);
    await button(card, 'Cancel').click();
    await statusOf(card, 'Canceled').waitFor();
    const retried = page.waitForRequest('**/retry');
    await button(card, 'Retry').click();
    release();
    await retried;
    await button(card, 'Cancel').waitFor();
    expect(consoleErrors).toEqual([]);
  }, 90_000);

  test('cannot be canceled while Wan runs it: the page warns that it will be billed, and hides the button', async () => {
    const prompt = newPrompt('[[seconds=300]] It runs');
    const id = await create(prompt);
    await submitted(id);
    await enterKey();
    const card = cardOf(prompt);
    await button(card, 'Cancel').click();
    expect(await card.getByRole('alert').textContent()).toContain('billed');
    expect(await button(card, 'Cancel').count()).toBe(0);
  }, 90_000);

  test('is extended and varied after its price was shown', async () => {
    const prompt = newPrompt('It goes on');
    const input = { prompt, img_url: pngUrl(400, 300) };
    const parameters = { resolution: '720P', duration: 2 };
    const { body } = await api.post('/videos', { model: 'wan2.7-i2v', input, parameters });
    await api.finished(String(body.id));
    await enterKey();
    const card = cardOf(prompt);
    const derived = async () => (await api.call(`/videos?derived_from=${body.id}`)).body.data as object[];
    await button(card, 'Extend').click();
    await card.locator('.derive-prompt').fill('And on');
    await card.locator('.derive-seconds').fill('1');
    await button(card, 'Show the price').click();
    await card.getByText('3 s: at most $0.30. Wan bills the whole continuation').waitFor();
    expect(await derived()).toEqual([]);
    await card.locator('.confirm .yes').click();
    await cardOf('And on').waitFor();
    await button(card, 'Vary').click();
    await card.locator('.derive-prompt').fill('Otherwise');
    await card.locator('.derive-count').fill('2');
    await button(card, 'Show the price').click();
    await card.getByText('2 videos of wan2.7-i2v, 720P, 2 s: at most $0.40.').waitFor();
    await card.locator('.confirm .yes').click();
    await expect.poll(async () => (await derived()).length, { timeout: 30_000 }).toBe(3);
    expect(consoleErrors).toEqual([]);
  }, 90_000);

  test('is not paid for twice without a question', async () => {
    const prompt = newPrompt('[[fail=DataInspectionFailed]] It may be billed');
    await api.finished(await create(prompt));
    // As after a task that Wan finished and then deleted, which takes a day.
    await page.route('**/videos', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll('"billed":false', '"billed":true');
      await route.fulfill({ response, body });
    });
    await enterKey();
    const card = cardOf(prompt);
    await button(card, 'Retry').click();
    await card.getByText('bill this video twice').waitFor();
    await button(card, 'No').click();
    await statusOf(card, 'Failed').waitFor();
  }, 60_000);

  test('is not deleted in another state than the shown one; the current state is shown', async () => {
    const prompt = newPrompt('[[fail=DataInspectionFailed]] It fails');
    const id = await create(prompt);
    const { updated_at } = await api.finished(id);
    await enterKey();
    const card = cardOf(prompt);
    await statusOf(card, 'Failed').waitFor();
    await button(card, 'Delete').click();
    await api.post(`/videos/${id}/retry`);
    await api.until(id, (video) => video.status === 'failed' && video.updated_at !== updated_at);
    await button(card, 'Delete').last().click();
    await card.getByText('changed in the meantime').waitFor();
    expect((await api.call(`/videos/${id}`)).status).toBe(200);
  }, 90_000);

  test('offers the MP4 when the browser cannot play it', async () => {
    const prompt = newPrompt('It does not play');
    await api.finished(await create(prompt));
    await page.route(/\.mp4/, (route) => route.fulfill({ status: 501 }));
    await enterKey();
    await cardOf(prompt).getByText('Open the MP4 instead').waitFor();
  }, 90_000);

  test('is shown as expired instead of being offered to play', async () => {
    const prompt = newPrompt('It has expired');
    await api.finished(await create(prompt));
    await page.route(
      (url) => url.pathname.endsWith('/videos'),
      async (route) => {
        const response = await route.fetch();
        const page = (await response.json()) as { data: object[] };
        const data = page.data.map((video) => ({ ...video, expires_at: '2026-01-01T00:00:00.000Z' }));
        await route.fulfill({ response, json: { ...page, data } });
      },
    );
    await page.route('**/content*', (route) => route.fulfill({ status: 410, json: { code: 'content_gone' } }));
    await enterKey();
    const card = cardOf(prompt);
    await card.getByText('The video has expired').waitFor();
    expect(await card.locator('.play-button').isVisible()).toBe(false);
    await button(card, 'Video \\(MP4\\)').click();
    await card.getByText('This file is not available.').waitFor();
    expect(await page.locator('#connection').textContent()).toBe('');
  }, 90_000);

  test('shows its first frame after a reload', async () => {
    const prompt = newPrompt('[[seconds=300]] It has a first frame');
    await create(prompt);
    await enterKey();
    await page.reload();
    const frame = cardOf(prompt).locator('img');
    await frame.waitFor();
    await expect.poll(() => frame.evaluate((element) => (element as HTMLImageElement).naturalWidth)).toBe(400);
    expect(consoleErrors).toEqual([]);
  }, 90_000);

  test.each(['the API', 'a drop'])(
    'made by %s is used again with its own first frame',
    async (source) => {
      const prompt = newPrompt('[[fail=DataInspectionFailed]] It is used again');
      const key = source === 'the API' ? api.api_key : api.drop_api_key;
      if (source === 'the API') await api.finished(await create(prompt, 500));
      else await drop(prompt, png(400, 500));
      await enterKey(key);
      await page.reload();
      await page.setInputFiles('#image', image(420, 420));
      await page.getByText('420 × 420 pixels').waitFor();
      await button(cardOf(prompt), 'Use again').click();
      await page.getByText('400 × 500 pixels').waitFor();
      expect(await page.getByLabel('Prompt').inputValue()).toBe(prompt);
      await page.route('**/videos', (route) => route.abort());
      const submission = page.waitForRequest(`${api.url}/videos`);
      await submit();
      expect(imageOf((await submission).postDataJSON()).equals(png(400, 500))).toBe(true);
    },
    90_000,
  );

  test('empties the image field when its first frame cannot be loaded, and no click pays for another', async () => {
    const prompt = newPrompt('[[fail=DataInspectionFailed]] It has lost its first frame');
    await api.finished(await create(prompt));
    await enterKey();
    const card = cardOf(prompt);
    await page.setInputFiles('#image', image(420, 420));
    await page.getByText('420 × 420 pixels').waitFor();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(
      (url) => url.search.includes('first_frame'),
      async (route) => {
        await held;
        await route.fulfill({ status: 404, json: {} });
      },
    );
    const submissions: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && submissions.push(request.url()));
    await button(card, 'Use again').click();
    await submit();
    expect(await errorAt('image').textContent()).toContain('still loading');
    release();
    await errorAt('image').getByText('cannot be loaded').waitFor();
    await submit();
    expect(await page.locator('#image-preview').isVisible()).toBe(false);
    expect(submissions).toEqual([]);
  }, 90_000);

  test.each(['light', 'dark'] as const)(
    'fits a narrow screen when it is %s',
    async (colorScheme) => {
      await create(
        newPrompt(
          '[[fail=DataInspectionFailed]] A-very-long-word-without-any-place-for-a-line-break-on-a-phone-screen',
        ),
      );
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await enterKey();
      await page.getByRole('listitem').first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    },
    60_000,
  );
});
