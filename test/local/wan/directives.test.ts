import { describe, expect, test } from 'vitest';
import { knownCodes } from '../../../local/wan/errors.ts';
import { bodyFor, wanForTest } from './support.ts';

const saying = (prompt: string) =>
  bodyFor('wan2.1-i2v-turbo', { input: { prompt }, parameters: { resolution: '480P', duration: 3 } });

test.each(knownCodes)('[[fail=%s]] ends the task FAILED with that code and its message', async (code) => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(saying(`a cat [[fail=${code}]]`));
  clock.turn(6);
  const { body, status } = await client.query(taskId);
  expect(status).toBe(200);
  expect(body.output).toMatchObject({ task_status: 'FAILED', code, message: expect.stringMatching(/\S/) });
  expect(body).not.toHaveProperty('usage');
});

test('[[seconds=N]] and [[pending=N]] set how long a task runs and waits', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(saying('[[pending=30]] a cat [[seconds=60.5]] [[fail=SystemError]]'));
  clock.turn(29.9);
  expect(await client.statusOf(taskId)).toBe('PENDING');
  clock.turn(0.1);
  expect(await client.statusOf(taskId)).toBe('RUNNING');
  clock.turn(60.4);
  expect(await client.statusOf(taskId)).toBe('RUNNING');
  clock.turn(0.1);
  expect(await client.statusOf(taskId)).toBe('FAILED');
});

test('[[unknown]] forgets the task', async () => {
  const { client } = await wanForTest();
  const taskId = await client.create(saying('[[unknown]]'));
  expect(await client.statusOf(taskId)).toBe('UNKNOWN');
  expect((await client.list()).body.total).toBe(0);
});

test('[[truncate]] serves half the MP4 as if it were all', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(saying('a cat [[truncate]]'));
  clock.turn(6);
  const response = await fetch((await client.query(taskId)).body.output.video_url);
  const content = Buffer.from(await response.arrayBuffer());
  expect(response.status).toBe(200);
  expect(content.length).toBe(Number(response.headers.get('content-length')));
  let mediaEnd = 0;
  for (let at = 0; at < content.length; at = mediaEnd) mediaEnd = at + content.readUInt32BE(at);
  const whole = mediaEnd + `....free${taskId}`.length;
  expect(content.length).toBe(Math.floor(whole / 2));
});

test('[[drop=N]] cuts the first N downloads halfway, the next is whole', async () => {
  const { client, clock } = await wanForTest();
  const taskId = await client.create(saying('a cat [[drop=2]]'));
  clock.turn(6);
  const { video_url } = (await client.query(taskId)).body.output;
  for (const _download of [1, 2]) {
    const response = await fetch(video_url);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
  }
  const response = await fetch(video_url);
  expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get('content-length')));
});

test('[[reset]] creates the task and cuts the connection; the task can be found by list and query', async () => {
  const { client } = await wanForTest();
  await expect(client.submit(saying('a lost cat [[reset]]'))).rejects.toThrow();
  const { data } = (await client.list()).body;
  expect(data).toHaveLength(1);
  expect((await client.query(data[0].task_id)).body.output.orig_prompt).toBe('a lost cat [[reset]]');
});

describe('[[http=STATUS:CODE]]', () => {
  test('refuses the submit each time, with that status, and creates no task', async () => {
    const { client } = await wanForTest();
    for (const _attempt of [1, 2]) {
      const reply = await client.submit(saying('[[http=400:Arrearage]]'));
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

  test('with *N refuses only the first N submits of the prompt', async () => {
    const { client } = await wanForTest();
    const statuses = [];
    for (let attempt = 0; attempt < 4; attempt += 1) {
      statuses.push((await client.submit(saying('[[http=503:ModelServingError*2]] a cat'))).status);
    }
    expect(statuses).toEqual([503, 503, 200, 200]);
  });
});

test.each(['[[seconds=soon]]', '[[fail]]', '[[http=200:Fine]]', '[[http=500]]', '[[drop=-1]]', '[[reset=1]]'])(
  'the directive %s, which can’t be read, is refused with how it is written',
  async (directive) => {
    const { client } = await wanForTest();
    const reply = await client.submit(saying(directive));
    expect([reply.status, reply.body.message]).toEqual([
      400,
      expect.stringMatching(/^Wan emulator: can't read .*; write \[\[/),
    ]);
  },
);

test('other text in double brackets is only text', async () => {
  const { client } = await wanForTest();
  expect((await client.submit(saying('a sign that says [[open=late]] and [[exit]]'))).status).toBe(200);
});
