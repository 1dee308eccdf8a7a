import { describe, expect, test } from 'vitest';
import { knownCodes } from '../../../local/wan/errors.ts';
import { bodyFor, wanForTest } from './support.ts';

const withPrompt = (prompt: string) =>
  bodyFor('wan2.1-i2v-turbo', { input: { prompt }, parameters: { resolution: '480P', duration: 3 } });

test.each(knownCodes)('[[fail=%s]] ends the task FAILED with this code and its message', async (code) => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(withPrompt(`a cat [[fail=${code}]]`));
  clock.advance(6);
  const { body, status } = await client.query(taskId);
  expect(status).toBe(200);
  expect(body.output).toMatchObject({ task_status: 'FAILED', code, message: expect.stringMatching(/\S/) });
  expect(body).not.toHaveProperty('usage');
});

test('[[seconds=N]] and [[pending=N]] set how long a task runs and how long it is pending', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(withPrompt('[[pending=30]] a cat [[seconds=60.5]] [[fail=SystemError]]'));
  clock.advance(29.9);
  expect(await client.statusOf(taskId)).toBe('PENDING');
  clock.advance(0.1);
  expect(await client.statusOf(taskId)).toBe('RUNNING');
  clock.advance(60.4);
  expect(await client.statusOf(taskId)).toBe('RUNNING');
  clock.advance(0.1);
  expect(await client.statusOf(taskId)).toBe('FAILED');
});

test('[[unknown]] hides the task from queries and the list', async () => {
  const { client } = await wanForTest();
  const taskId = await client.create(withPrompt('[[unknown]]'));
  expect(await client.statusOf(taskId)).toBe('UNKNOWN');
  expect((await client.list()).body.total).toBe(0);
});

test('[[truncate]] serves half of the MP4 as if it were complete', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(withPrompt('a cat [[truncate]]'));
  clock.advance(6);
  const response = await fetch((await client.query(taskId)).body.output.video_url);
  const content = Buffer.from(await response.arrayBuffer());
  expect(response.status).toBe(200);
  expect(content.length).toBe(Number(response.headers.get('content-length')));
  let mediaEnd = 0;
  for (let at = 0; at < content.length; at = mediaEnd) mediaEnd = at + content.readUInt32BE(at);
  const whole = mediaEnd + `....free${taskId}`.length;
  expect(content.length).toBe(Math.floor(whole / 2));
});

test('[[drop=N]] cuts the first N downloads halfway and serves the next completely', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(withPrompt('a cat [[drop=2]]'));
  clock.advance(6);
  const { video_url } = (await client.query(taskId)).body.output;
  for (const _download of [1, 2]) {
    const response = await fetch(video_url);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
  }
  const response = await fetch(video_url);
  expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get('content-length')));
});

describe('[[serve=…]]', () => {
  const download = async (how: string, headers: Record<string, string> = {}) => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(withPrompt(`a cat [[serve=${how}]]`));
    clock.advance(6);
    const { video_url } = (await client.query(taskId)).body.output;
    const response = await fetch(video_url, { headers });
    const content = Buffer.from(await response.arrayBuffer());
    return { response, content, taskId, header: (name: string) => response.headers.get(name) };
  };
  const isWhole = ({ content, taskId }: { content: Buffer; taskId: string }) => {
    expect(content.toString('latin1', 4, 8)).toBe('ftyp');
    expect(content.toString('latin1').endsWith(`free${taskId}`)).toBe(true);
  };

  test('serves the MP4 without a length', async () => {
    const chunked = await download('chunked');
    expect([chunked.response.status, chunked.header('content-length')]).toEqual([200, null]);
    expect(chunked.header('transfer-encoding')).toBe('chunked');
    isWhole(chunked);
  });

  test('serves the MP4 compressed', async () => {
    const gzip = await download('gzip');
    expect([gzip.response.status, gzip.header('content-encoding')]).toEqual([200, 'gzip']);
    isWhole(gzip);
  });

  test('serves the MP4 as a range of everything, and real ranges as before', async () => {
    const partial = await download('206');
    const { length } = partial.content;
    expect([partial.response.status, partial.header('content-range')]).toEqual([
      206,
      `bytes 0-${length - 1}/${length}`,
    ]);
    isWhole(partial);
    const range = await download('206', { range: 'bytes=0-9' });
    expect([range.response.status, range.content.length]).toEqual([206, 10]);
  });
});

describe('[[host=HOST]]', () => {
  test.each([
    ['dashscope-a717.oss-accelerate.aliyuncs.com', () => 'https://dashscope-a717.oss-accelerate.aliyuncs.com'],
    ['localhost', (port: number) => `http://localhost:${port}`],
    ['127.0.0.2:8080', () => 'http://127.0.0.2:8080'],
    ['results.example:8443', () => 'https://results.example:8443'],
  ])('returns a result URL on %s', async (host, origin) => {
    const { client, clock, wan } = await wanForTest();
    const taskId = await client.create(withPrompt(`a cat [[host=${host}]]`));
    clock.advance(6);
    const { video_url } = (await client.query(taskId)).body.output;
    expect(new URL(video_url).origin).toBe(origin(wan.port));
    // The path and its signature are those of the emulator.
    const { pathname, search } = new URL(video_url);
    expect((await fetch(`http://127.0.0.1:${wan.port}${pathname}${search}`)).status).toBe(200);
  });
});

test('[[status=WORD]] replaces RUNNING in queries until the task ends', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(withPrompt('a cat [[status=SUSPENDED]]'));
  expect(await client.statusOf(taskId)).toBe('PENDING');
  clock.advance(3);
  expect(await client.statusOf(taskId)).toBe('SUSPENDED');
  clock.advance(3);
  expect(await client.statusOf(taskId)).toBe('SUCCEEDED');
});

test('[[reset]] creates a task that list and query return, and resets the connection', async () => {
  const { client } = await wanForTest();
  await expect(client.submit(withPrompt('a lost cat [[reset]]'))).rejects.toThrow();
  const { data } = (await client.list()).body;
  expect(data).toHaveLength(1);
  expect((await client.query(data[0].task_id)).body.output.orig_prompt).toBe('a lost cat [[reset]]');
});

describe('[[http=STATUS:CODE]]', () => {
  test('rejects every submission with this status and creates no task', async () => {
    const { client } = await wanForTest();
    for (const _attempt of [1, 2]) {
      const reply = await client.submit(withPrompt('[[http=400:Arrearage]]'));
      expect([reply.status, reply.body]).toEqual([
        400,
        {
          code: 'Arrearage',
          message: 'Access denied, please make sure your account is in good standing.',
          request_id: expect.any(String),
        },
      ]);
    }
    expect((await client.list()).body.total).toBe(0);
  });

  test('rejects only the first N submissions of the prompt with *N', async () => {
    const { client } = await wanForTest();
    const statuses = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      statuses.push((await client.submit(withPrompt('[[http=503:ModelServingError*2]] a cat'))).status);
    }
    expect(statuses).toEqual([503, 503, 200, 200]);
  });
});

test.each([
  ...['[[seconds=soon]]', '[[fail]]', '[[http=200:Fine]]', '[[http=500]]', '[[drop=-1]]', '[[reset=1]]'],
  ...['[[length=1]]', '[[length=31]]', '[[length=2.25]]', '[[serve=slowly]]', '[[host=a/b]]', '[[status=A B]]'],
])('rejects the invalid directive %s with its syntax', async (directive) => {
  const { client } = await wanForTest();
  const reply = await client.submit(withPrompt(directive));
  expect([reply.status, reply.body.message]).toEqual([
    400,
    expect.stringMatching(/^Wan emulator: cannot read .*; write \[\[/),
  ]);
});

test('ignores other text in double brackets', async () => {
  const { client } = await wanForTest();
  expect((await client.submit(withPrompt('a sign with [[open=late]] and [[exit]]'))).status).toBe(200);
});
