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

test.each(['[[seconds=soon]]', '[[fail]]', '[[http=200:Fine]]', '[[http=500]]', '[[drop=-1]]', '[[reset=1]]'])(
  'rejects the invalid directive %s with its syntax',
  async (directive) => {
    const { client } = await wanForTest();
    const reply = await client.submit(withPrompt(directive));
    expect([reply.status, reply.body.message]).toEqual([
      400,
      expect.stringMatching(/^Wan emulator: cannot read .*; write \[\[/),
    ]);
  },
);

test('ignores other text in double brackets', async () => {
  const { client } = await wanForTest();
  expect((await client.submit(withPrompt('a sign with [[open=late]] and [[exit]]'))).status).toBe(200);
});
