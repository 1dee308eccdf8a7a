import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Browser, Page } from 'playwright-core';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { type Endpoint, onStack, sharedStack } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';

// Always local: only that may call a receiver on this computer.

let browser: Browser;
let receiver: Server;
let origin: string;
/** The webhook of a test: another one for each, since deliveries of the previous test may arrive late. */
let url: string;
/** What the receiver answers. */
let answer: number;
let received: { headers: Record<string, string>; body: string }[];
beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const body = await text(request);
    if (url === origin + request.url) received.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(answer).end();
  }).listen(0, '127.0.0.1');
  [browser] = await Promise.all([openBrowser(), sharedStack()]);
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
}, 240_000);
afterAll(async () => {
  await browser?.close();
  receiver?.close();
});

/** With a new owner. */
let api: Endpoint;
let page: Page;
/** Script errors and violations of the page's policy. */
let consoleErrors: string[];
/** Requests of the page for webhooks. */
let requests: string[];
beforeEach(async () => {
  answer = 204;
  url = `${origin}/hook?token=abc-${randomUUID()}`;
  received = [];
  consoleErrors = [];
  requests = [];
  api = await onStack(await sharedStack(), async () => undefined);
  await page?.context().close();
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => consoleErrors.push(error.message));
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (/webhook|deliver/.test(pathname)) requests.push(`${request.method()} ${pathname}`);
  });
  await page.goto(api.url);
  await enterKey(api.api_key);
}, 90_000);

async function enterKey(key: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Use key' }).click();
  await page.getByText('Key accepted').waitFor();
}

const panel = () => page.locator('#webhook');
const button = (name: string) => panel().getByRole('button', { name, exact: true });
const outcome = () => page.locator('#webhook-outcome');
const secretField = () => page.getByLabel('Secret', { exact: true });
const toggle = () => page.locator('#webhook summary').press('Enter');
const focused = () => page.evaluate('document.activeElement.id');
const cardOf = (prompt: string) => page.getByRole('listitem').filter({ hasText: prompt });
const confirm = () => panel().locator('.yes').press('Enter');

async function open(): Promise<void> {
  await toggle();
  await page.locator('#webhook-content').waitFor();
}

async function set(): Promise<void> {
  await page.getByLabel('URL', { exact: true }).fill(url);
  await page.getByLabel('URL', { exact: true }).press('Enter');
  await outcome().getByText('Saved.').waitFor();
}

const subscribe = () => api.call('/webhook', { method: 'PUT', body: JSON.stringify({ url }) });

/** Creates a video that fails, and waits until it has failed. @returns its id */
async function failedVideo(prompt: string): Promise<string> {
  const { body } = await api.post('/videos', aRequest(`[[fail=InternalError]] ${prompt}`));
  await api.finished(String(body.id));
  return String(body.id);
}

/** Secrets and webhooks in all fields, the markup and what the browser stores. */
async function leaks(): Promise<string[]> {
  const everything = await page.evaluate(() =>
    JSON.stringify([
      [...document.querySelectorAll('input')].map((input) => input.value),
      document.documentElement.outerHTML,
      Object.entries(sessionStorage),
      Object.entries(localStorage),
    ]),
  );
  return everything.match(/whsec_|token=abc|127\.0\.0\.1:\d+<\/b>/g) ?? [];
}

const verifies = (secret: string): boolean => {
  const { body, headers } = received.at(-1)!;
  try {
    return new Webhook(secret).verify(body, headers) !== undefined;
  } catch {
    return false;
  }
};

/** Holds the responses to requests until `release` is called. */
async function hold(pattern: string): Promise<{ sent: Promise<unknown>; release: () => void }> {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const sent = page.waitForRequest(pattern);
  await page.route(pattern, async (route) => {
    const response = await route.fetch();
    await held;
    await route.fulfill({ response }).catch(() => undefined);
  });
  return { sent, release };
}

describe('the panel of the webhook', { timeout: 120_000 }, () => {
  test('requests nothing until it is opened', async () => {
    await page.getByRole('heading', { name: 'Webhook' }).waitFor();
    expect(requests).toEqual([]);
    await open();
    expect(requests).toEqual(['GET /webhook']);
    expect(await panel().textContent()).toContain('No webhook');
    expect(await button('Send a test').count()).toBe(0);
    expect(consoleErrors).toEqual([]);
  });

  test('sets a webhook, tests it, rotates its secret after a question, and removes it, by keyboard', async () => {
    await open();
    await set();
    const first = await secretField().inputValue();
    expect(first).toMatch(/^whsec_/);
    expect(await focused()).toBe('webhook-secret');
    expect(await page.locator('#webhook-host').textContent()).toBe(new URL(url).host);
    expect(await page.locator('#webhook-state').textContent()).toBe('Active');

    await button('Send a test').press('Enter');
    await outcome()
      .getByText(/accepted the test: status 204 in \d+ ms\./)
      .waitFor();
    expect(verifies(first)).toBe(true);

    await button('New secret').press('Enter');
    expect(await panel().locator('.question').textContent()).toContain('For 24 hours events are also signed');
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('webhook-rotate');
    expect(requests).not.toContain('POST /webhook/secret');
    await button('New secret').press('Enter');
    await confirm();
    await outcome().getByText('version 2').waitFor();
    const second = await secretField().inputValue();
    expect(second).toMatch(/^whsec_/);
    expect(second).not.toBe(first);
    await button('Send a test').press('Enter');
    await expect.poll(() => received.length).toBe(2);
    expect([first, second].map(verifies)).toEqual([true, true]);

    await button('Remove').press('Enter');
    await confirm();
    await outcome().getByText('Removed.').waitFor();
    expect(await focused()).toBe('webhook-url');
    expect((await api.call('/webhook')).status).toBe(404);
    expect(consoleErrors).toEqual([]);
  });

  test('copies the secret, removes it when it is closed, and stores it nowhere', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await open();
    await set();
    const secret = await secretField().inputValue();
    await button('Copy').press('Enter');
    await outcome().getByText('Copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
    await toggle();
    await secretField().waitFor({ state: 'hidden' });
    await expect.poll(async () => (await leaks()).filter((leak) => !leak.endsWith('</b>'))).toEqual([]);
    await open();
    expect(await secretField().isVisible()).toBe(false);
    expect(await outcome().isVisible()).toBe(false);
  });

  test('opens again to show a secret that arrives after it was closed', async () => {
    await open();
    const { sent, release } = await hold('**/webhook/secret');
    await button('New secret').click();
    await confirm();
    await sent;
    await toggle();
    await page.locator('#webhook-body').waitFor({ state: 'hidden' });
    release();
    await secretField().waitFor();
    expect(await secretField().inputValue()).toMatch(/^whsec_/);
  });

  test('warns before a second rotation that the oldest secret stops signing', async () => {
    await subscribe();
    await api.post('/webhook/secret');
    await open();
    await button('New secret').click();
    expect(await panel().locator('.question').textContent()).toContain('stops signing immediately');
  });

  test('shows the errors of the API at their field', async () => {
    await open();
    await button('Set webhook').click();
    expect(await page.locator('#webhook-url-error').textContent()).toContain('Enter the https URL');
    expect(requests).toEqual(['GET /webhook']);
    await page.getByLabel('URL', { exact: true }).fill('https://10.0.0.1/hook');
    expect(await page.locator('#webhook-url-error').isVisible()).toBe(false);
    await button('Set webhook').click();
    await page.locator('#webhook-url-error').getByText('not on the public internet').waitFor();
    expect(await focused()).toBe('webhook-url');
    expect(await page.locator('#webhook-url').getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator('#webhook-error').textContent()).toContain('invalid');
    expect(await page.locator('#form-error').isVisible()).toBe(false);
  });

  test('shows why a test failed, and what to do when the receiver ended the webhook', async () => {
    await subscribe();
    answer = 410;
    await failedVideo('It ends the webhook');
    await expect.poll(async () => (await api.call('/webhook')).body.state).toBe('ended');
    await open();
    expect(await page.locator('#webhook-state').textContent()).toBe('Ended');
    expect(await page.locator('#webhook-text').textContent()).toContain('Set the URL again');
    await button('Send a test').click();
    await outcome()
      .getByText(/did not accept the test: .+410.*\(\d+ ms\)/)
      .waitFor();
    expect(await outcome().getAttribute('class')).toContain('error');
    await page.getByText('Every status change').click();
    await set();
    expect(await page.locator('#webhook-state').textContent()).toBe('Active');
    expect((await api.call('/webhook')).body).toMatchObject({ state: 'active', events: 'all' });
  });

  test('shows that the API does not respond, and what to do', async () => {
    await page.route('**/webhook', (route) => route.abort());
    await toggle();
    await page.locator('#webhook-error').getByText('does not respond').waitFor();
    await page.getByRole('button', { name: 'Refresh' }).click();
    expect(await page.locator('#webhook-error').isVisible()).toBe(true);
    await page.unroute('**/webhook');
    await page.getByText('open it again to retry').waitFor();
    await toggle();
    await page.locator('#webhook-error').waitFor({ state: 'hidden' });
    await open();
    await page.route('**/webhook/secret', (route) => route.abort());
    await button('New secret').click();
    await confirm();
    await page.locator('#webhook-error').getByText('may have been made without being shown').waitFor();
  });

  test('is cleared when the key is removed, also of a secret that arrives later', async () => {
    await open();
    await set();
    const { sent, release } = await hold('**/webhook/secret');
    await button('New secret').click();
    await confirm();
    await sent;
    const finished = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/secret'));
    await page.getByRole('button', { name: 'Remove key' }).click();
    const before = requests.length;
    release();
    await finished;
    expect(await panel().isVisible()).toBe(false);
    // Takes longer than the page needs for the late response.
    await enterKey(api.other_api_key);
    expect(await leaks()).toEqual([]);
    // A panel that the response had opened would have been read, and cleared because there was no key.
    expect(requests.length).toBe(before);
    await open();
    expect(await page.locator('#webhook-host').textContent()).toBe('No webhook');
  });

  test('asks for another key when the API rejects it', async () => {
    await page.route('**/webhook', (route) => route.fulfill({ status: 401, json: {} }));
    await toggle();
    await page.locator('#key-error').waitFor();
    expect(await panel().isVisible()).toBe(false);
  });
});

describe('the deliveries on a card', { timeout: 120_000 }, () => {
  const deliveriesOf = (prompt: string) => cardOf(prompt).locator('.delivery');
  const openDeliveries = (prompt: string) =>
    cardOf(prompt)
      .getByRole('button', { name: /^Deliveries:/ })
      .press('Enter');
  const refresh = () => page.getByRole('button', { name: 'Refresh' }).click();

  test('are read on demand, with the last answer, and sent again', async () => {
    await subscribe();
    answer = 500;
    const id = await failedVideo('Its event fails');
    await expect.poll(() => received.length).toBe(1);
    await expect
      .poll(async () => (await api.call(`/videos/${id}/deliveries`)).body.data)
      .toMatchObject([{ attempts: 1 }]);
    await refresh();
    await cardOf('Its event fails').waitFor();
    expect(requests).toEqual([]);
    await openDeliveries('Its event fails');
    const delivery = deliveriesOf('Its event fails');
    await delivery.waitFor();
    expect(await delivery.textContent()).toMatch(
      /video\.failedPending.+1 attempt · .+status 500 \(\d+ ms\) · next attempt by/s,
    );

    answer = 204;
    await delivery.getByRole('button').press('Enter');
    await delivery.getByText('Delivered').waitFor();
    expect(await delivery.textContent()).toMatch(/status 204 in \d+ ms/);
    await cardOf('Its event fails').getByText('video.failed: Delivered.').waitFor();
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array(2).fill(received[0]!.headers['webhook-id']),
    );
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Send again');

    await openDeliveries('Its event fails');
    expect(await delivery.count()).toBe(0);
    expect(consoleErrors).toEqual([]);
  });

  test('cannot be sent again without a webhook: the page names the place to set it', async () => {
    await subscribe();
    await failedVideo('Its webhook is removed');
    await expect.poll(() => received.length).toBe(1);
    await api.call('/webhook', { method: 'DELETE' });
    await failedVideo('It had no webhook');
    await refresh();
    await openDeliveries('Its webhook is removed');
    await deliveriesOf('Its webhook is removed').getByRole('button').click();
    await cardOf('Its webhook is removed').getByText('Set it under “Webhook”').waitFor();
    await openDeliveries('It had no webhook');
    await cardOf('It had no webhook').getByText('No webhook got an event').waitFor();
  });

  test('ask for nothing more once the key is removed', async () => {
    await subscribe();
    await failedVideo('It is left');
    await expect.poll(() => received.length).toBe(1);
    await refresh();
    await openDeliveries('It is left');
    await page.clock.install();
    await deliveriesOf('It is left').getByRole('button').click();
    await page.waitForResponse('**/redeliver');
    await page.getByRole('button', { name: 'Remove key' }).click();
    const before = requests.length;
    await page.clock.runFor(20_000);
    expect(requests.length).toBe(before);
    expect(await page.locator('#key-error').isVisible()).toBe(false);
  });
});

test.each(['light', 'dark'] as const)(
  'webhook and deliveries fit a narrow screen when it is %s',
  async (colorScheme) => {
    await subscribe();
    answer = 500;
    await failedVideo('A-very-long-word-without-any-place-for-a-line-break-on-a-phone-screen');
    await expect.poll(() => received.length).toBe(1);
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await open();
    await button('New secret').click();
    await confirm();
    await secretField().waitFor();
    await page.getByRole('button', { name: /^Deliveries:/ }).click();
    await page.locator('.delivery').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  },
  120_000,
);
