import { beforeEach, describe, expect, test } from 'vitest';
import { readTrustedHosts } from '../../../functions/video/catalogue-changes.ts';
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
  expect((await command('list')).output).toBe('Operators have trusted no further hosts.');
  expect((await command('host', 'add', host)).output).toContain('continue within two minutes');
  expect(await command('host', 'add', host)).toMatchObject({ status: 0 });
  await command('host', 'add', 'http://localhost:4401');
  expect((await command('list')).output).toBe(`host ${host}\nhost http://localhost:4401`);
  expect((await command('host', 'remove', host)).output).toBe(`Removed ${host}.`);
  expect(await readTrustedHosts(store.table)).toEqual(['http://localhost:4401']);
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
  ])('%j', async (args, sentence) => {
    const { status, error } = await command(...args);
    expect(status).toBe(1);
    expect(error).toMatch(sentence);
    expect(await readTrustedHosts(store.table)).toEqual([]);
  });
});
