import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

// On Lambda the package brings the libraries along that a bare machine lacks, so it is told that this is one.
process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs22.x';
const { default: chromium } = await import('@sparticuz/chromium');
const executablePath = await chromium.executablePath();
delete process.env.AWS_EXECUTION_ENV;

// The package is made for Lambda: there a browser is one process for one page, and origins count for nothing. A person's is not so.
const args = chromium.args.filter((arg) => !/^--(single-process|no-zygote|disable-web-security)$/.test(arg));

let api: Endpoint;
let browser: Browser;
beforeAll(async () => {
  [api, browser] = await Promise.all([openEndpoint(), playwright.launch({ executablePath, args })]);
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
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(api.url);
});

const picture = (width: number, height: number) => ({
  name: 'picture.png',
  mimeType: 'image/png',
  buffer: png(width, height),
});
const errorAt = (field: string) => page.locator(`#${field}-error`);

describe('in a browser', () => {
  test('a picture and a prompt become a video that plays', async () => {
    await page.getByLabel('API key').fill(api.api_key);
    await page.setInputFiles('#picture', picture(2600, 1300));
    await page.getByText('scaled down from 2600 × 1300').waitFor();
    const prompt = `The hills wake up ${Date.now()}`;
    await page.getByLabel('What happens').fill(prompt);
    await page.getByRole('button', { name: 'Make video' }).click();

    const card = page.getByRole('listitem').filter({ hasText: prompt });
    await card.getByText('Ready').waitFor({ timeout: 60_000 });
    await card.getByRole('button', { name: 'Play' }).click();
    await expect.poll(() => page.evaluate("document.querySelector('.card video').currentTime")).toBeGreaterThan(0.2);
    expect(await card.textContent()).toContain('1344 × 672');
    expect(complaints).toEqual([]);
  }, 90_000);

  test('what is missing is told where it is missing, and nothing is sent', async () => {
    const sent: string[] = [];
    page.on('request', (request) => sent.push(request.url()));
    await page.getByRole('button', { name: 'Make video' }).click();
    for (const field of ['key', 'picture', 'prompt']) expect(await errorAt(field).isVisible()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('key');
    expect(sent).toEqual([]);
  });

  test('a wrong key is refused at its field and not kept', async () => {
    await page.getByLabel('API key').fill('wrong');
    await page.getByRole('button', { name: 'Use key' }).click();
    await errorAt('key').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  test('a picture that is too small is refused at once', async () => {
    await page.setInputFiles('#picture', picture(300, 300));
    await errorAt('picture').waitFor();
    expect(await errorAt('picture').textContent()).toContain('at least 360');
  });
});
