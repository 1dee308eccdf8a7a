import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';

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
let asked: string[];
beforeEach(async () => {
  await page?.context().close();
  page = await browser.newPage();
  complaints = [];
  asked = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => request.url().startsWith('data:') || asked.push(request.url()));
});

const open = async (route = '') => {
  await page.goto(`${api.url}/docs${route && `#?route=${route}`}`);
  await page.getByRole('navigation').getByText('/estimates').first().waitFor();
};

describe('the page of the contract, in a browser', () => {
  test('shows every route, and loads nothing but itself', async () => {
    await open();
    const shown = (await page.getByRole('navigation', { name: 'API Menu' }).innerText()).replaceAll(/\s/g, '');
    for (const path of ['/videos/{id}/content', '/uploads', '/usage', '/api/v1/tasks/{task_id}/cancel', '/health']) {
      expect(shown).toContain(path);
    }
    expect(asked).toEqual([`${api.url}/docs`]);
    expect(complaints).toEqual([]);
  });

  test('lets a reader with a key try a call', async () => {
    await open('auth');
    await page.getByPlaceholder('KEY', { exact: true }).fill(api.api_key);
    await page.getByRole('button', { name: 'SET', exact: true }).first().click();
    await page.getByRole('navigation').getByText('/models').click();
    const answer = page.waitForResponse(`${api.url}/models`);
    await page.getByRole('button', { name: 'Execute' }).click();
    expect((await answer).status()).toBe(200);
    await page.getByText('prices_as_of').first().waitFor();
    expect(complaints).toEqual([]);
  });

  test('knows the key of whoever comes from the console', async () => {
    await page.goto(api.url);
    await page.getByLabel('API key').fill(api.api_key);
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('Key accepted').waitFor();
    await open('get-/models');
    const answer = page.waitForResponse(`${api.url}/models`);
    await page.getByRole('button', { name: 'Execute' }).click();
    expect((await answer).status()).toBe(200);
  });
});
