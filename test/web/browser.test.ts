import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { bmp } from './bmp.ts';

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
/** What the browser complained about: scripts that broke, and whatever the page's policy forbids. */
let complaints: string[];
beforeEach(async () => {
  await page?.context().close();
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  await page.goto(api.url);
});

const picture = (width: number, height: number) => ({
  name: 'picture.png',
  mimeType: 'image/png',
  buffer: png(width, height),
});
const errorAt = (field: string) => page.locator(`#${field}-error`);
const button = (place: Locator, name: string) => place.getByRole('button', { name: new RegExp(`^${name}(:|$)`) });
const cardOf = (prompt: string) => page.getByRole('listitem').filter({ hasText: prompt });
const statusOf = (card: Locator, words: string) => card.locator('.status', { hasText: words });

/** Of the prompts, which name their cards. */
let count = 0;
const newPrompt = (words: string): string => {
  count += 1;
  return `${words} ${count}`;
};

/** Of all models the one that Wan makes most videos of at once: some here take long on purpose. */
const model = 'wan2.5-i2v-preview';

/** Has a video made without the page. @returns its id */
async function make(prompt: string): Promise<string> {
  const input = { prompt, img_url: pngUrl(400, 400) };
  const { status, body } = await api.post('/videos', { model, input });
  expect(status).toBe(202);
  return String(body.id);
}

/** Resolves when Wan has the video's task: while it is being handed over, it can't be canceled. */
const atWan = (id: string) => api.until(id, ({ status }) => status === 'running');

async function giveKey(): Promise<void> {
  await page.getByLabel('API key').fill(api.api_key);
  await page.getByRole('button', { name: 'Use key' }).click();
  await page.getByText('Key accepted').waitFor();
}

async function fillForm(prompt: string, file = picture(400, 400)): Promise<void> {
  await page.getByLabel('API key').fill(api.api_key);
  await page.setInputFiles('#picture', file);
  await page.getByText(/× \d+ pixels/).waitFor();
  await page.getByLabel('What happens').fill(prompt);
}
const submit = () => page.getByRole('button', { name: 'Make video' }).click();

describe('in a browser', () => {
  test('a picture and a prompt become a video that plays', async () => {
    const prompt = newPrompt('[[seconds=8]] The hills wake up');
    await fillForm(prompt, picture(2600, 1300));
    expect(await page.locator('#picture-note').textContent()).toContain('scaled down from 2600 × 1300');
    const waited = page.waitForRequest((request) => request.url().endsWith('?wait=20'));
    await submit();
    expect((await waited).headers()['if-none-match']).toMatch(/^".+"$/);

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
    expect(complaints).toEqual([]);
  }, 120_000);

  test('a picture that is too large for a request is uploaded, and it shows how far it is', async () => {
    const prompt = newPrompt('A large one');
    await fillForm(prompt, { name: 'large.bmp', mimeType: 'image/bmp', buffer: bmp(1400, 1200) });
    let arrive = () => {};
    const held = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.route(
      (url) => url.origin !== new URL(api.url).origin,
      async (route) => {
        await held;
        await route.continue();
      },
    );
    const asked = page.waitForRequest(`${api.url}/videos`);
    await submit();
    await page.getByRole('progressbar', { name: 'Upload of the picture' }).waitFor();
    await page.getByText(/^Uploading \d+ %$/).waitFor();
    arrive();
    expect((await asked).postDataJSON().input.img_url).toMatch(/^s3:\/\/.+\/uploads\/.+\.bmp$/);
    await cardOf(prompt).waitFor();
    expect(await page.locator('#upload').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  }, 90_000);

  test('what is missing is told where it is missing, and nothing is sent', async () => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.url()));
    await submit();
    for (const field of ['key', 'picture', 'prompt']) expect(await errorAt(field).isVisible()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('key');
    expect(sent).toEqual([]);
  });

  test('what the API refuses is told at the field that it is about', async () => {
    const errors = [
      { pointer: '/input/img_url', code: 'wrong', message: 'Another picture.' },
      { pointer: '/parameters/duration', code: 'wrong', message: 'Another length.' },
    ];
    await fillForm('Something');
    await page.route('**/videos', (route) =>
      route.fulfill({ status: 400, json: { title: 'It can not be taken.', detail: 'Twice.', errors } }),
    );
    await submit();
    await errorAt('picture').getByText('Another picture.').waitFor();
    expect(await errorAt('duration').textContent()).toBe('Another length.');
    expect(await errorAt('form').textContent()).toBe('It can not be taken.');
    expect(await page.evaluate('document.activeElement.id')).toBe('picture');
  });

  test('a wrong key is refused at its field and not kept', async () => {
    await page.getByLabel('API key').fill('wrong');
    await page.getByRole('button', { name: 'Use key' }).click();
    await errorAt('key').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  test('a key that is taken back is asked for again, and nothing of its owner stays', async () => {
    await make(newPrompt('Something of mine'));
    await giveKey();
    await page.getByRole('listitem').first().waitFor();
    await page.route('**/videos*', (route) => route.fulfill({ status: 401, json: {} }));
    await page.getByRole('button', { name: 'Refresh' }).click();
    await errorAt('key').waitFor();
    expect(await page.getByLabel('API key').isVisible()).toBe(true);
    expect(await page.locator('.card').count()).toBe(0);
  });

  test('a picture that is too small is refused at once', async () => {
    await page.setInputFiles('#picture', picture(300, 300));
    await errorAt('picture').waitFor();
    expect(await errorAt('picture').textContent()).toContain('at least 360');
  });
});

describe('a video on the page', () => {
  test('is canceled, retried and deleted, by keyboard; to delete it is asked once', async () => {
    const prompt = newPrompt('[[pending=600]] It waits');
    const id = await make(prompt);
    await atWan(id);
    await giveKey();
    const card = cardOf(prompt);
    await button(card, 'Cancel').press('Enter');
    await statusOf(card, 'Canceled').waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Retry');

    await button(card, 'Retry').press('Enter');
    await atWan(id);
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
    const told = page.locator('#announcer', { hasText: `Deleted: ${prompt}` }).waitFor({ state: 'attached' });
    await page.keyboard.press('Enter');
    await card.waitFor({ state: 'detached' });
    await told;
    expect((await api.call(`/videos/${id}`)).status).toBe(404);
    expect(complaints).toEqual([]);
  }, 120_000);

  test('that is deleted while it is asked about is asked about no more', async () => {
    const prompt = newPrompt('[[pending=600]] It is asked about');
    const id = await make(prompt);
    await atWan(id);
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    // Two questions stay open until the video is gone: for its picture, and for news of it.
    await page.route(
      (url) => /first_frame|wait=/.test(url.search),
      async (route) => {
        await answered;
        await route.continue().catch(() => undefined);
      },
    );
    const open = Promise.all(
      ['first_frame', 'wait='].map((part) => page.waitForRequest((request) => request.url().includes(part))),
    );
    await giveKey();
    const card = cardOf(prompt);
    const questions = await open;
    await button(card, 'Cancel').click();
    await statusOf(card, 'Canceled').waitFor();
    await button(card, 'Delete').click();
    await button(card, 'Delete').last().click();
    await card.waitFor({ state: 'detached' });
    answer();
    for (const question of questions) expect(question.failure()?.errorText).toBe('net::ERR_ABORTED');
    expect(complaints).toEqual([]);
  }, 90_000);

  test('can be retried when it shows as canceled, though the answer to that is not there yet', async () => {
    const prompt = newPrompt('[[pending=600]] It is canceled slowly');
    const id = await make(prompt);
    await atWan(id);
    let arrive = () => {};
    const held = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.route('**/cancel', async (route) => {
      const answer = await route.fetch();
      await held;
      await route.fulfill({ response: answer });
    });
    await giveKey();
    const card = cardOf(prompt);
    await button(card, 'Cancel').click();
    await statusOf(card, 'Canceled').waitFor();
    const retried = page.waitForRequest('**/retry');
    await button(card, 'Retry').click();
    arrive();
    await retried;
    await button(card, 'Cancel').waitFor();
    expect(complaints).toEqual([]);
  }, 90_000);

  test('that Wan is making can not be canceled, and it says that it will be billed', async () => {
    const prompt = newPrompt('[[seconds=300]] It runs');
    const id = await make(prompt);
    await api.until(id, ({ status }) => status === 'running');
    await giveKey();
    const card = cardOf(prompt);
    await button(card, 'Cancel').click();
    expect(await card.getByRole('alert').textContent()).toContain('billed');
  }, 90_000);

  test('is not paid twice without a question', async () => {
    const prompt = newPrompt('[[fail=DataInspectionFailed]] It may be billed');
    await api.finished(await make(prompt));
    // As if Wan had made it and then forgotten it, which takes long.
    await page.route('**/videos', async (route) => {
      const answer = await route.fetch();
      const text = (await answer.text()).replaceAll('"billed":false', '"billed":true');
      await route.fulfill({ response: answer, body: text });
    });
    await giveKey();
    const card = cardOf(prompt);
    await button(card, 'Retry').click();
    await card.getByText('bill this video twice').waitFor();
    await button(card, 'No').click();
    await statusOf(card, 'Failed').waitFor();
  }, 60_000);

  test('that changed since it was looked at is shown as it is, and nothing is done to it', async () => {
    const prompt = newPrompt('[[fail=DataInspectionFailed]] It fails');
    const id = await make(prompt);
    const { updated_at } = await api.finished(id);
    await giveKey();
    const card = cardOf(prompt);
    await statusOf(card, 'Failed').waitFor();
    await button(card, 'Delete').click();
    await api.post(`/videos/${id}/retry`);
    await api.until(id, (video) => video.status === 'failed' && video.updated_at !== updated_at);
    await button(card, 'Delete').last().click();
    await card.getByText('has changed since you looked').waitFor();
    expect((await api.call(`/videos/${id}`)).status).toBe(200);
  }, 90_000);

  test('shows the picture that it begins with after a reload', async () => {
    const prompt = newPrompt('[[seconds=300]] It has a picture');
    await make(prompt);
    await giveKey();
    await page.reload();
    const frame = cardOf(prompt).locator('img');
    await frame.waitFor();
    await expect.poll(() => frame.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBe(400);
    expect(complaints).toEqual([]);
  }, 90_000);

  test.each(['light', 'dark'] as const)(
    'fits a narrow screen when it is %s',
    async (colorScheme) => {
      await make(
        newPrompt('[[fail=DataInspectionFailed]] A-very-long-word-that-nobody-can-break-anywhere-at-all-on-a-phone'),
      );
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 740 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await giveKey();
      await page.getByRole('listitem').first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    },
    60_000,
  );
});
