import { afterAll, describe, expect, test } from 'vitest';
import { trustHost, writeRowChange } from '../../../functions/video/catalogue-changes.ts';
import { readConfiguration } from '../../../infra/config.ts';
import { checkAccountLimits, checkCatalogue } from '../../../infra/operations/doctor/catalogue.ts';
import { startTable } from '../../support/table.ts';
import { aDeployment, everyModel } from '../../support/videos.ts';

const store = startTable();
afterAll(() => store.close());
const day = (days: number) => new Date(Date.now() + days * 24 * 3600_000).toISOString().slice(0, 10);

describe('the catalogue', () => {
  test('is ok while the deployment has what the file has', async () => {
    const file = { 'wan2.6-i2v': { offered: false } };
    await writeRowChange(store.table, 'wan2.6-i2v', { offered: false });
    expect(await checkCatalogue(store.table, readConfiguration({}, file))).toMatchObject([{ state: 'ok' }]);
  });

  test('differs from the file where operators changed rows and hosts', async () => {
    await writeRowChange(store.table, 'wan2.6-i2v', { offered: false, limits: { concurrent_tasks: 3 } });
    await trustHost(store.table, 'new.oss-cn-beijing.aliyuncs.com');
    const found = await checkCatalogue(store.table, readConfiguration({}, { 'wan2.6-i2v': { offered: true } }));
    expect(found.map(({ state, summary }) => `${state} ${summary}`)).toEqual([
      'warning wan2.6-i2v: offered is false in this deployment; catalogue.json has true.',
      'warning wan2.6-i2v: limits is {"concurrent_tasks":3} in this deployment; catalogue.json has no value.',
      'warning The host new.oss-cn-beijing.aliyuncs.com is trusted in this deployment; the setting videoHosts does not have it.',
    ]);
  });

  test('warns of a model that is retired soon, of a retired model of drops, and of prices that do not count', async () => {
    const own = startTable();
    const prices = { currency: 'CNY', as_of: '2026-12-01', per_second: { '720P': 1 } } as const;
    const file = {
      'wan2.5-i2v-preview': { retires_at: day(20), replaced_by: 'wan2.7-i2v' },
      'wan2.2-i2v-flash': { retires_at: day(-2) },
      'wan2.2-i2v-plus': { retires_at: day(-2) },
      'wan2.1-i2v-turbo': { retires_at: day(40) },
    };
    await writeRowChange(own.table, 'wan2.7-i2v', { prices });
    const found = (await checkCatalogue(own.table, readConfiguration({}, file))).map(({ summary }) => summary);
    own.close();
    expect(found).toHaveLength(4);
    expect(found).toContain(`wan2.5-i2v-preview will be refused from ${day(20)}.`);
    expect(found).toContain(`wan2.2-i2v-flash is refused since ${day(-2)}. It is the model of drops.`);
    expect(found).toContain('The prices of wan2.7-i2v are in CNY, so they do not count: singapore has USD.');
  });
});

describe("the account's limits", () => {
  const limits = { extra_permits: 2, models: {} };
  const quotas =
    (request_limit: number, async_user_concurrency_limit: number): typeof fetch =>
    async (url) => {
      const model = new URL(String(url)).searchParams.get('model');
      const model_limit = { request_limit, request_limit_period: 1, async_user_concurrency_limit };
      return Response.json({ output: { quotas: model === 'wan2.6-i2v' ? [{ model, model_limit }] : [] } });
    };

  test('are ok when Wan allows as much', async () => {
    const found = await checkAccountLimits(quotas(5, 5), everyModel, { key: 'k', limits });
    expect(found).toMatchObject([{ state: 'ok', summary: expect.stringContaining('1 models') }]);
  });

  test('are a warning with the command that lowers them when Wan allows less', async () => {
    const found = await checkAccountLimits(quotas(2.5, 3), everyModel, { key: 'k', limits });
    expect(found).toMatchObject([
      { state: 'warning', fix: 'npm run catalogue -- limit wan2.6-i2v submits_per_second=2.5 concurrent_tasks=3' },
    ]);
    const changes = { 'wan2.6-i2v': { limits: { submits_per_second: 2.5, concurrent_tasks: 3 } } };
    const lowered = await checkAccountLimits(quotas(2.5, 3), { ...everyModel, changes }, { key: 'k', limits });
    expect(lowered).toMatchObject([{ state: 'ok' }]);
  });

  test('are not compared at a shared domain, which does not report them', async () => {
    const never: typeof fetch = () => Promise.reject(new Error('called'));
    expect(await checkAccountLimits(never, aDeployment(), { key: 'k', limits })).toEqual([]);
  });
});
