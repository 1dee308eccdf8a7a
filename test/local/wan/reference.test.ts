import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createClient, fetchOf, mp3, png, submitPath, wanForTest } from './support.ts';

const rap = 'https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/wpimhv/rap.png';
const rapSound = 'https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/ozwpvi/rap.mp3';
const cat = 'https://cdn.translate.alibaba.com/r/wanx-demo-1.png';
const files = { [rap]: png(720, 720), [rapSound]: mp3(12), [cat]: png(750, 1000) };
const prompt = 'A painted figure comes to life and sings.';

/** The bodies of the reference's curl examples, under the headings they stand under there; the prompts are ours. */
const examples = {
  'Multi-shot narrative': {
    model: 'wan2.6-i2v',
    input: { prompt, img_url: rap, audio_url: rapSound },
    parameters: { resolution: '720P', prompt_extend: true, duration: 10, shot_type: 'multi' },
  },
  'Automatic dubbing': {
    model: 'wan2.5-i2v-preview',
    input: { prompt, img_url: rap },
    parameters: { resolution: '480P', prompt_extend: true, duration: 10 },
  },
  'Input audio file': {
    model: 'wan2.5-i2v-preview',
    input: { prompt, img_url: rap, audio_url: rapSound },
    parameters: { resolution: '480P', prompt_extend: true, duration: 10 },
  },
  'Generate a silent video': {
    model: 'wan2.2-i2v-plus',
    input: { prompt, img_url: cat },
    parameters: { resolution: '480P', prompt_extend: true },
  },
  'Use a negative prompt': {
    model: 'wan2.2-i2v-plus',
    input: { prompt, negative_prompt: 'flowers', img_url: cat },
    parameters: { resolution: '480P', prompt_extend: true },
  },
};

/** An example answer's members by their types: what a client may rely on. */
type Shape = { readonly [member: string]: Shape | 'string' | 'number' };

const finished = {
  request_id: 'string',
  output: {
    task_id: 'string',
    task_status: 'string',
    submit_time: 'string',
    scheduled_time: 'string',
    end_time: 'string',
    orig_prompt: 'string',
    video_url: 'string',
  },
} as const;
const rewritten = { ...finished, output: { ...finished.output, actual_prompt: 'string' } } as const;
const usage = { duration: 'number', video_count: 'number', SR: 'number' } as const;

function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}

describe.each([
  [
    'Multi-shot narrative',
    { ...finished, usage: { ...usage, input_video_duration: 'number', output_video_duration: 'number' } },
  ],
  ['Automatic dubbing', { ...rewritten, usage }],
  ['Input audio file', { ...rewritten, usage }],
  ['Generate a silent video', { ...rewritten, usage }],
  ['Use a negative prompt', { ...rewritten, usage }],
] as readonly [keyof typeof examples, Shape][])('the example "%s"', (name, shape) => {
  test('sent as curl sends it, gives a task that ends with exactly the documented members', async () => {
    const { wan, clock, client } = await wanForTest({ fetch: fetchOf(files).fetch });
    const created = await sendRaw(
      wan.port,
      [
        `POST /api/v1${submitPath} HTTP/1.1`,
        'Host: 127.0.0.1',
        'User-Agent: curl/8.5.0',
        'Accept: */*',
        'X-DashScope-Async: enable',
        'Authorization: Bearer sk-test',
        'Content-Type: application/json',
      ],
      JSON.stringify(examples[name], null, 4),
    );
    expect(shapeOf(created)).toEqual({ output: { task_status: 'string', task_id: 'string' }, request_id: 'string' });
    expect(created.output.task_status).toBe('PENDING');
    clock.turn(6);
    const answer = await sendRaw(wan.port, [
      `GET /api/v1/tasks/${created.output.task_id} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Authorization: Bearer sk-test',
    ]);
    expect(shapeOf(answer)).toEqual(shape);
    expect(answer.output).toMatchObject({ task_status: 'SUCCEEDED', orig_prompt: prompt });
    const { duration = 5, resolution } = examples[name].parameters as { duration?: number; resolution: string };
    expect(answer.usage).toMatchObject({ duration, video_count: 1, SR: Number.parseInt(resolution, 10) });
    expect((await client.video(created.output.task_id)).toString('latin1', 4, 8)).toBe('ftyp');
  });
});

test('wan2.1 says its usage in members of its own', async () => {
  const { clock, client } = await wanForTest({ fetch: fetchOf(files).fetch });
  const parameters = { resolution: '480P', duration: 3 };
  const taskId = await client.create({ model: 'wan2.1-i2v-turbo', input: { prompt, img_url: cat }, parameters });
  clock.turn(6);
  expect((await client.query(taskId)).body.usage).toEqual({
    video_duration: 3,
    video_ratio: 'standard',
    video_count: 1,
  });
});

test('the example of a failed task has its documented members', async () => {
  const { clock, client } = await wanForTest({ fetch: fetchOf(files).fetch });
  const taskId = await client.create({
    model: 'wan2.2-i2v-plus',
    input: { prompt: '[[fail=InvalidParameter]]', img_url: cat },
  });
  clock.turn(6);
  expect((await client.query(taskId)).body).toMatchObject({
    request_id: expect.any(String),
    output: {
      task_id: taskId,
      task_status: 'FAILED',
      code: 'InvalidParameter',
      message: expect.stringContaining('The size is not match'),
    },
  });
});

test('the example of a refused submit has exactly its documented members', async () => {
  const { wan } = await wanForTest();
  const reply = await createClient(wan).send(
    'POST',
    submitPath,
    { 'X-DashScope-Async': 'enable', 'Content-Type': 'application/json' },
    '{}',
  );
  expect(reply.body).toEqual({
    code: 'InvalidApiKey',
    message: 'No API-key provided.',
    request_id: expect.any(String),
  });
});

/** Writes an HTTP request byte by byte as given, and reads the JSON of its answer. */
// biome-ignore lint/suspicious/noExplicitAny: answers are asserted member by member
function sendRaw(port: number, head: readonly string[], body = ''): Promise<any> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const length = body && `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (text) => {
        answer += text;
      })
      .on('end', () => resolve(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))))
      .on('error', reject)
      .write(`${head.join('\r\n')}\r\n${length}Connection: close\r\n\r\n${body}`);
  });
}
