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
/** Script errors and violations of the page's policy. */
let errors: string[];
let requested: string[];
beforeEach(async () => {
  await page?.context().close();
  page = await browser.newPage();
  errors = [];
  requested = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => request.url().startsWith('data:') || requested.push(request.url()));
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
    expect(requested).toEqual([`${api.url}/docs`]);
    expect(errors).toEqual([]);
  });

  test('sends a call with the entered key', async () => {
    await open('auth');
    await page.getByPlaceholder('KEY', { exact: true }).fill(api.api_key);
    await page.getByRole('button', { name: 'SET', exact: true }).first().click();
    await page.getByRole('navigation').getByRole('link', { name: 'get /models', exact: true }).click();
    const response = page.waitForResponse(`${api.url}/models`);
    await page.getByRole('button', { name: 'Execute' }).click();
    expect((await response).status()).toBe(200);
    await page.getByText('prices_as_of').first().waitFor();
    expect(errors).toEqual([]);
  });

  test('uses the key that was entered in the console', async () => {
    await page.goto(api.url);
    await page.getByLabel('API key').fill(api.api_key);
    await page.getByRole('button', { name: 'Use key' }).click();
    await page.getByText('Key accepted').waitFor();
    await open('get-/models');
    const response = page.waitForResponse(`${api.url}/models`);
    await page.getByRole('button', { name: 'Execute' }).click();
    expect((await response).status()).toBe(200);
  });

  test('keeps the label of the Execute button readable on hover', async () => {
    await open('get-/models');
    const execute = page.getByRole('button', { name: 'Execute' });
    await execute.hover();
    await expect
      .poll(() => execute.evaluate((element) => getComputedStyle(element).backgroundColor))
      .toBe('rgb(11, 87, 77)');
    expect(await execute.evaluate((element) => getComputedStyle(element).color)).toBe('rgb(255, 255, 255)');
  });
});
