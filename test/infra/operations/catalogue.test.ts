import { beforeEach, describe, expect, test } from 'vitest';
import { readRowChanges, readTrustedHosts } from '../../../functions/video/catalogue-changes.ts';
import { mergeChanges, rowOf } from '../../../functions/wan/changes.ts';
import { run } from '../../../infra/operations/catalogue.ts';
import { startTable } from '../../support/table.ts';

const host = 'dashscope-result-new.oss-eu-central-1.aliyuncs.com';

let store: ReturnType<typeof startTable>;
let port: string;
beforeEach(async () => {
  store = startTable();
  port = String((await store.client.config.endpoint?.())?.port);
  return () => store.close();
});

async function command(...args: string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const status = await run(
    [...args, '--local', '--table', store.table.tableName],
    { AWS_PORT: port },
    (line) => lines.push(line),
    (line) => errors.push(line),
  );
  return { status, output: lines.join('\n'), error: errors.join('\n') };
}

test('adds, lists and removes hosts', async () => {
  expect((await command('list')).output).toBe('Operators have changed nothing.');
  expect((await command('host', 'add', host)).output).toContain('continue within two minutes');
  expect(await command('host', 'add', host)).toMatchObject({ status: 0 });
  await command('host', 'add', 'http://localhost:4401');
  expect((await command('list')).output).toBe(`host ${host}\nhost http://localhost:4401`);
  expect((await command('host', 'remove', host)).output).toBe(`Removed ${host}.`);
  expect(await readTrustedHosts(store.table)).toEqual(['http://localhost:4401']);
});

test('adds a model, sets its price and its limits, retires it and offers it again', async () => {
  const today = new Date().toISOString().slice(0, 10);
  expect(await command('add', 'wan9.9-i2v', 'wan2.6-i2v')).toMatchObject({ status: 0, error: '' });
  await command('price', 'wan9.9-i2v', 'USD', '720P=0.2', '1080P=0.3');
  await command('limit', 'wan9.9-i2v', 'concurrent_tasks=3');
  await command('retire', 'wan9.9-i2v', '2027-01-31', 'wan2.7-i2v');
  await command('retire', 'wan2.6-i2v', 'wan9.9-i2v');
  const row = {
    family: 'wan2.6-i2v',
    prices: { currency: 'USD', as_of: today, per_second: { '720P': 0.2, '1080P': 0.3 } },
    limits: { concurrent_tasks: 3 },
  };
  expect(await readRowChanges(store.table)).toEqual({
    'wan9.9-i2v': { ...row, retires_at: '2027-01-31', replaced_by: 'wan2.7-i2v' },
    'wan2.6-i2v': { retires_at: today, replaced_by: 'wan9.9-i2v' },
  });
  expect((await command('list')).output).toContain('model wan2.6-i2v {"retires_at"');
  await command('offer', 'wan9.9-i2v');
  expect((await readRowChanges(store.table))['wan9.9-i2v']).toEqual({
    ...row,
    offered: true,
    retires_at: null,
    replaced_by: null,
  });
});

test('offers a model again that the file retires, stops offering it, and removes both', async () => {
  const file = {
    'wan2.6-i2v': { retires_at: '2026-01-31', replaced_by: 'wan2.7-i2v', limits: { concurrent_tasks: 2 } },
  };
  const merged = async () => mergeChanges(file, await readRowChanges(store.table));
  expect(rowOf('wan2.6-i2v', await merged())).toMatchObject({ retires_at: '2026-01-31' });
  expect(await command('offer', 'wan2.6-i2v')).toMatchObject({ status: 0 });
  const offered = rowOf('wan2.6-i2v', await merged());
  expect(offered).toMatchObject({ rate_limits: { concurrent_tasks: 2 } });
  expect(offered).not.toHaveProperty('retires_at');
  expect(offered).not.toHaveProperty('replaced_by');
  await command('withdraw', 'wan2.6-i2v');
  expect((await merged())['wan2.6-i2v']).toMatchObject({ offered: false });
  expect(await command('reset', 'wan2.6-i2v')).toMatchObject({ status: 0 });
  expect(await merged()).toEqual(file);
  expect(await command('reset', 'wan2.6-i2v')).toMatchObject({ status: 0 });
});

test('keeps the row of an added model, whose videos may need it', async () => {
  await command('add', 'wan9.9-i2v', 'wan2.6-i2v');
  expect(await command('reset', 'wan9.9-i2v')).toMatchObject({
    status: 1,
    error: expect.stringContaining('withdraw wan9.9-i2v'),
  });
  expect(await readRowChanges(store.table)).toHaveProperty(['wan9.9-i2v']);
});

describe('a usage error has status 1 and a helpful message, and changes nothing', () => {
  test.each([
    [[], /^Usage/],
    [['hosts'], /^Usage/],
    [['host', 'trust', host], /^Usage/],
    [['list', 'all'], /Unexpected argument "all"/],
    [['host', 'add'], /Name the host/],
    [['host', 'add', host, host], /Unexpected argument/],
    [['host', 'add', `https://${host}`], /without a scheme/],
    [['host', 'add', `${host}:443`], /without a scheme, a port/],
    [['host', 'add', '*.aliyuncs.com'], /wildcard/],
    [['host', 'add', host.toUpperCase()], /lower case/],
    [['host', 'add', 'http://example.com'], /without a scheme/],
    [['host', 'add', 'http://169.254.169.254'], /without a scheme/],
    [['host', 'remove', host], /has not added/],
    [['offer', 'wan8'], /no model "wan8". Add it with/],
    [['offer', 'wan2.6-i2v', 'now'], /Unexpected argument/],
    [['add', 'wan2.6-i2v', 'wan2.7-i2v'], /catalogue already/],
    [['add', 'wan9.9-i2v', 'wan8'], /family/],
    [['add', 'wan9.9-i2v'], /family: must name the model/],
    [['price', 'wan2.6-i2v', 'USD'], /720P=0\.1/],
    [['price', 'wan2.6-i2v', 'EUR', '720P=1'], /currency/],
    [['price', 'wan2.6-i2v', 'USD', '480P=1'], /the model has 720P, 1080P/],
    [['limit', 'wan2.6-i2v', 'concurrent_tasks=0.5'], /concurrent_tasks/],
    [['retire', 'wan2.6-i2v', '2027-13-01'], /must be a date/],
    [['retire', 'wan2.6-i2v', 'wan8'], /replaced_by: must name another model/],
  ])('%j', async (args, sentence) => {
    const { status, error } = await command(...args);
    expect(status).toBe(1);
    expect(error).toMatch(sentence);
    expect(await readTrustedHosts(store.table)).toEqual([]);
    expect(await readRowChanges(store.table)).toEqual({});
  });
});
