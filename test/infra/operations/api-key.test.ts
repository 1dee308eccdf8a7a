import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { authorize, callerOfKey } from '../../../functions/api/auth/authorize.ts';
import { createUploadToken } from '../../../functions/api/auth/upload-token.ts';
import { createVideo } from '../../../functions/video/store.ts';
import { run } from '../../../infra/operations/api-key.ts';
import { startTable } from '../../support/table.ts';
import { aVideo, firstFrame } from '../../support/videos.ts';

const stores: Awaited<ReturnType<typeof startTable>>[] = [];
let store: Awaited<ReturnType<typeof startTable>>;
let port: string;
beforeEach(async () => {
  store = await startTable();
  stores.push(store);
  port = String((await store.client.config.endpoint?.())?.port);
});
afterAll(async () => {
  for (const each of stores) await each.close();
});

/** Runs the command against the test's table, in place of that of `npm start`. */
async function command(...args: string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const local = ['--local', '--table', store.table.tableName];
  const status = await run(
    [...args, ...local],
    { AWS_PORT: port },
    (line) => lines.push(line),
    (line) => errors.push(line),
  );
  return { status, lines, error: errors.join('\n'), output: [...lines, ...errors].join('\n') };
}

const items = async () => (await store.table.client.send(new ScanCommand({ TableName: store.table.tableName }))).Items!;
const mayCall = (key: string) =>
  authorize(
    { table: store.table, callerOf: callerOfKey(store.table) },
    {
      headers: { authorization: `Bearer ${key}` },
      methodArn: 'arn:aws:execute-api:r:1:a/v1/GET/x',
      resource: '/x',
      httpMethod: 'GET',
    },
  );

async function create(owner: string) {
  const { lines } = await command('create', '--owner', owner);
  const [first] = await items().then((all) => all.filter((item) => item.owner === owner));
  return { key: lines[1]!, key_id: first!.key_id as string };
}

test('a new key is shown once, authorizes its owner, and is stored only as a hash', async () => {
  const { status, lines } = await command('create', '--owner', 'alice');
  expect(status).toBe(0);
  const key = lines[1]!;
  expect(key).toMatch(/^ff_[A-Za-z0-9_-]{43}$/);
  expect((await mayCall(key)).context).toMatchObject({ owner: 'alice' });
  expect(await items()).toEqual([
    {
      pk: `key#${createHash('sha256').update(key).digest('hex')}`,
      key_id: expect.stringMatching(/^[0-9a-f]{12}$/),
      owner: 'alice',
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  ]);
  expect((await command('list')).output).not.toContain(key);
});

test('all keys are different', async () => {
  const keys = await Promise.all(Array.from({ length: 20 }, () => command('create', '--owner', 'alice')));
  expect(new Set(keys.map(({ lines }) => lines[1])).size).toBe(20);
});

test('the list shows ids, owners and times of all keys, and never a hash', async () => {
  await createVideo(store.table, aVideo({ owner: 'other' }));
  await createUploadToken(store.table, { owner: 'other', key_id: 'k' }, { upload_id: 'u' });
  expect((await command('list')).output).toBe('There are no keys.');
  const [alice, bob] = [await create('alice'), await create('bob@example.com')];
  await command('revoke', alice.key_id);
  const { status, output } = await command('list');
  expect(status).toBe(0);
  const lines = output.split('\n');
  expect(lines).toHaveLength(2);
  expect(lines.find((line) => line.includes(alice.key_id))).toMatch(/alice .*created \d{4}-.*revoked \d{4}-/);
  expect(lines.find((line) => line.includes(bob.key_id))).toMatch(/bob@example\.com .*created \d{4}-/);
  expect(lines.find((line) => line.includes(bob.key_id))).not.toContain('revoked');
  for (const { pk } of await items()) expect(output).not.toContain(String(pk).slice('key#'.length));
});

test('the list reads all pages of the table', async () => {
  const prompt = 'x'.repeat(20_000);
  const videos = Array.from({ length: 60 }, () =>
    aVideo({ input: { prompt, media: firstFrame('https://example.com/a.png') } }),
  );
  await Promise.all(videos.map((video) => createVideo(store.table, video)));
  await Promise.all(['a', 'b', 'c'].map((owner) => command('create', '--owner', owner)));
  expect((await command('list')).output.split('\n')).toHaveLength(3);
});

test('a revoked key authorizes no one and keeps the time of its revocation', async () => {
  const [alice, other] = [await create('alice'), await create('other')];
  expect(await command('revoke', alice.key_id)).toMatchObject({ status: 0 });
  await expect(mayCall(alice.key)).rejects.toThrow('Unauthorized');
  expect((await mayCall(other.key)).principalId).toBe('other');
  const before = await items();
  expect(await command('revoke', alice.key_id)).toMatchObject({ status: 0 });
  expect(await items()).toEqual(before);
});

test.each([[['help']], [['--help']], [['-h']], [['create', '--help']]])(
  '%j prints the usage without a table',
  async (args) => {
    const lines: string[] = [];
    const status = await run(args, {}, (line) => lines.push(line), expect.fail);
    expect([status, lines]).toEqual([0, [expect.stringMatching(/^Usage:\n/)]]);
  },
);

test('the list aligns ids and owners of different lengths', async () => {
  await store.table.client.send(
    new PutCommand({
      TableName: store.table.tableName,
      Item: { pk: 'key#x', key_id: 'local', owner: 'local', created_at: '2026-01-01T00:00:00.000Z' },
    }),
  );
  await create('alice.with.a.long.name');
  const lines = (await command('list')).output.split('\n');
  expect(new Set(lines.map((line) => line.indexOf('created '))).size).toBe(1);
  expect(new Set(lines.map((line) => line.search(/ {2,}\S/) + / {2,}/.exec(line)![0].length)).size).toBe(1);
});

describe('a usage error has status 1 and a helpful message, and changes nothing', () => {
  test.each([
    [[], /Usage/],
    [['make'], /^There is no command "make"\.\n\nUsage/],
    [['toString'], /^There is no command "toString"/],
    [['help', 'create'], /^There is no command "help"/],
    [['create'], /--owner NAME/],
    [['create', '--owner', ''], /--owner NAME/],
    [['create', '--owner', 'a#b'], /1 to 64 letters/],
    [['create', '--owner', 'x'.repeat(65)], /1 to 64 letters/],
    [['create', '--owner', 'two words'], /1 to 64 letters/],
    [['create', '--owner', '..'], /not only dots/],
    [['create', '--user', 'alice'], /--user[\s\S]*Usage/],
    [['create', '--owner', 'Alice', 'Smith'], /^Unexpected argument "Smith"\./],
    [['create', 'alice', 'bob', '--owner', 'x'], /^Unexpected argument "alice"\./],
    [['create', '--owner', 'alice', '--owner', 'bob'], /^The option --owner is repeated/],
    [['list', 'alice'], /^Unexpected argument "alice"/],
    [['list', '--owner', 'alice'], /^The command list takes no --owner/],
    [['revoke', 'one', 'two'], /^Unexpected argument "two"/],
    [['revoke', 'one', '--owner', 'alice'], /^The command revoke takes no --owner/],
    [['revoke'], /KEY_ID/],
    [['revoke', 'unknown'], /no key unknown/],
    [['list', '--table', 'another'], /no such table: the table another/],
  ])('%j', async (args, sentence) => {
    const errors: string[] = [];
    const local = args.includes('--table') ? ['--local'] : ['--local', '--table', store.table.tableName];
    const status = await run(
      [...args, ...local],
      { AWS_PORT: port },
      () => {},
      (line) => errors.push(line),
    );
    expect(status).toBe(1);
    expect(errors.join('\n')).toMatch(sentence);
    expect(errors.join('\n')).not.toMatch(/\bat .*\.ts:/);
    expect(await items()).toEqual([]);
  });

  test('without a table', async () => {
    const errors: string[] = [];
    expect(
      await run(
        ['list'],
        {},
        () => {},
        (line) => errors.push(line),
      ),
    ).toBe(1);
    expect(errors.join()).toContain('Name the table with --table');
  });

  test('without npm start', async () => {
    const errors: string[] = [];
    expect(
      await run(
        ['list', '--local'],
        { AWS_PORT: '1' },
        () => {},
        (line) => errors.push(line),
      ),
    ).toBe(1);
    expect(errors.join()).toMatch(/firstframe-videos at http:\/\/127\.0\.0\.1:1\. Is npm start running/);
  });
});

test('reads endpoint, credentials and table from the environment', async () => {
  const environment = {
    PATH: process.env.PATH,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    TABLE_NAME: store.table.tableName,
  };
  const script = new URL('../../../infra/operations/api-key.ts', import.meta.url).pathname;
  const call = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...args], { env: environment });
  const { stdout } = await call('create', '--owner', 'alice');
  expect((await mayCall(stdout.trim().split('\n')[1]!)).principalId).toBe('alice');
  await expect(call('revoke', 'unknown')).rejects.toMatchObject({ code: 1, stdout: '', stderr: /no key unknown/ });
});
