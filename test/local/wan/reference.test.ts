import { beforeAll, describe, expect, test } from 'vitest';
import { cat, examples, prompt, rap, rapAudio } from '../../support/reference-examples.ts';
import { curl } from './curl.ts';
import { createClient, fetchOf, mp3, png, sharedWan, submitPath } from './support.ts';

/*
 * The examples of the reference, sent with curl to an emulator instead of the service: only the base URL and the prompts
 * differ. Its image and audio URLs are served here, because tests do not use the network.
 */
const files = { [rap]: png(720, 720), [rapAudio]: mp3(12), [cat]: png(750, 1000) };

/** Requests that the reference describes in text, or in examples for its SDKs. */
const more = {
  'a task of an SDK': {
    model: 'wan2.5-i2v-preview',
    input: { prompt, negative_prompt: '', img_url: rap, audio_url: rapAudio },
    parameters: { resolution: '480P', duration: 10, prompt_extend: true, watermark: false, seed: 12345 },
  },
  'wan2.5 without rewriting': {
    model: 'wan2.5-i2v-preview',
    input: { prompt, img_url: rap },
    parameters: { resolution: '480P', duration: 5, prompt_extend: false },
  },
  'wan2.1': {
    model: 'wan2.1-i2v-turbo',
    input: { prompt, img_url: cat },
    parameters: { resolution: '480P', duration: 3 },
  },
  'a failed task': { model: 'wan2.2-i2v-plus', input: { prompt: '[[fail=InvalidParameter]]', img_url: cat } },
} as const;

type Name = keyof typeof examples | keyof typeof more;
// biome-ignore lint/suspicious/noExplicitAny: responses are asserted member by member
type Responses = { created: any; queried: any };

const responses = new Map<Name, Responses>();
const wan = sharedWan({ fetch: fetchOf(files).fetch });
let running: Record<string, unknown>;
let expired: Record<string, unknown>;
let rejected: Record<string, unknown>;

const submitCommand = (body: object) => `curl --location '${wan().wan.url}${submitPath}' \\
    -H 'X-DashScope-Async: enable' \\
    -H "Authorization: Bearer $DASHSCOPE_API_KEY" \\
    -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(body, null, 4)}'`;

const queryCommand = (taskId: string) => `curl -X GET ${wan().wan.url}/tasks/${taskId} \\
--header "Authorization: Bearer $DASHSCOPE_API_KEY"`;

beforeAll(async () => {
  const { clock } = wan();
  const created = new Map<Name, Responses['created']>();
  for (const [name, body] of Object.entries({ ...examples, ...more })) {
    created.set(name as Name, await curl(submitCommand(body)));
  }
  clock.advance(3);
  const first: string = created.get('Multi-shot narrative').output.task_id;
  running = await curl(queryCommand(first));
  clock.advance(3);
  const client = createClient(wan().wan);
  await Promise.all([...created.values()].map(({ output }) => client.ended(output.task_id)));
  for (const [name, response] of created) {
    responses.set(name, { created: response, queried: await curl(queryCommand(response.output.task_id)) });
  }
  expired = await curl(queryCommand('86ecf553-d340-4e21-xxxxxxxxx'));
  rejected = (
    await client.send('POST', submitPath, { 'X-DashScope-Async': 'enable', 'Content-Type': 'application/json' }, '{}')
  ).body;
});

/** Types of members, and formats of strings. */
const text = expect.stringMatching(/\S/);
const number = expect.any(Number);
const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}$/);
const videoUrl = expect.stringMatching(/^https?:\/\/\S+\.mp4\?Expires=\d+/);
const times = { submit_time: time, scheduled_time: time, end_time: time };

describe.each(Object.keys(examples) as (keyof typeof examples)[])('the example "%s", run with curl', (name) => {
  test('creates a PENDING task, then the requested video', async () => {
    const { created, queried } = responses.get(name)!;
    expect(created).toEqual({ output: { task_status: 'PENDING', task_id: uuid }, request_id: uuid });
    const { duration, resolution } = { duration: 5, ...examples[name].parameters };
    expect(queried.output).toMatchObject({
      task_id: created.output.task_id,
      task_status: 'SUCCEEDED',
      orig_prompt: prompt,
    });
    expect(queried.usage).toMatchObject({ duration, video_count: 1, SR: Number.parseInt(resolution, 10) });
    const video = await fetch(queried.output.video_url);
    expect(Buffer.from(await video.arrayBuffer()).toString('latin1', 4, 8)).toBe('ftyp');
  });
});

/** Each JSON example of the reference, member by member; `further` are additional members of its parameter rows. */
const responseExamples: readonly {
  example: string;
  response: () => unknown;
  members: { output?: object; usage?: object } & Record<string, unknown>;
  further?: { output?: object; usage?: object };
}[] = [
  {
    example: 'a task was created',
    response: () => responses.get('Multi-shot narrative')?.created,
    members: { output: { task_status: 'PENDING', task_id: uuid }, request_id: uuid },
  },
  {
    example: 'a task was not created',
    response: () => rejected,
    members: { code: 'InvalidApiKey', message: 'No API-key provided.', request_id: uuid },
  },
  {
    example: 'a task succeeded',
    response: () => responses.get('Multi-shot narrative')?.queried,
    members: {
      request_id: uuid,
      output: { task_id: uuid, task_status: 'SUCCEEDED', ...times, orig_prompt: text, video_url: videoUrl },
      usage: { duration: 10, input_video_duration: 0, output_video_duration: 10, video_count: 1, SR: 720 },
    },
  },
  {
    example: 'a task failed',
    response: () => responses.get('a failed task')?.queried,
    members: {
      request_id: uuid,
      output: {
        task_id: uuid,
        task_status: 'FAILED',
        code: 'InvalidParameter',
        message: expect.stringMatching(/^The size is not match/),
      },
    },
    further: { output: { ...times, orig_prompt: text } },
  },
  {
    example: 'a task expired',
    response: () => expired,
    members: { request_id: uuid, output: { task_id: '86ecf553-d340-4e21-xxxxxxxxx', task_status: 'UNKNOWN' } },
  },
  {
    // The SDK itself adds status_code, code, message and empty members of other models.
    example: 'the Python SDK: a task succeeded (two examples)',
    response: () => responses.get('a task of an SDK')?.queried,
    members: {
      request_id: uuid,
      output: {
        ...{ task_id: uuid, task_status: 'SUCCEEDED', video_url: videoUrl, ...times },
        ...{ orig_prompt: text, actual_prompt: text },
      },
      usage: { video_count: 1, duration: 10, SR: 480 },
    },
  },
  {
    example: 'the Python and the Java SDK: a task was created (two examples)',
    response: () => responses.get('a task of an SDK')?.created,
    members: { request_id: uuid, output: { task_id: uuid, task_status: 'PENDING' } },
  },
  {
    example: 'the Java SDK: a task succeeded (two examples)',
    response: () => responses.get('a task of an SDK')?.queried,
    members: {
      request_id: uuid,
      output: { task_id: uuid, task_status: 'SUCCEEDED', video_url: videoUrl },
      usage: { video_count: 1 },
    },
    further: {
      output: { ...times, orig_prompt: text, actual_prompt: text },
      usage: { duration: number, SR: number },
    },
  },
];

test.each(responseExamples)('the response of the example $example has exactly its members', (row) => {
  const { members, further = {} } = row;
  expect(row.response()).toEqual({
    ...members,
    ...(members.output && { output: { ...members.output, ...further.output } }),
    ...(members.usage && { usage: { ...members.usage, ...further.usage } }),
  });
});

const wan25And22 = [
  'Automatic dubbing',
  'Input audio file',
  'Generate a silent video',
  'wan2.5 without rewriting',
] as const;
const everySuccess = ['Multi-shot narrative', ...wan25And22, 'wan2.1'] as const;

/** Each row of the reference's "Response parameters" of a query: value of the member, and where it exists. */
const rows: readonly { member: string; value: unknown; in: readonly Name[]; notIn?: readonly Name[] }[] = [
  { member: 'request_id', value: uuid, in: [...everySuccess, 'a failed task'] },
  { member: 'output.task_id', value: uuid, in: [...everySuccess, 'a failed task'] },
  { member: 'output.task_status', value: 'SUCCEEDED', in: everySuccess },
  { member: 'output.task_status', value: 'FAILED', in: ['a failed task'] },
  { member: 'output.submit_time', value: '2025-09-25 11:07:28.590', in: [...everySuccess, 'a failed task'] },
  { member: 'output.scheduled_time', value: '2025-09-25 11:07:29.190', in: [...everySuccess, 'a failed task'] },
  { member: 'output.end_time', value: '2025-09-25 11:07:34.590', in: [...everySuccess, 'a failed task'] },
  { member: 'output.video_url', value: videoUrl, in: everySuccess, notIn: ['a failed task'] },
  { member: 'output.orig_prompt', value: prompt, in: everySuccess },
  {
    member: 'output.actual_prompt',
    value: expect.stringMatching(new RegExp(`^${prompt}.+`)),
    in: ['Automatic dubbing', 'Input audio file', 'Generate a silent video', 'wan2.1'],
    notIn: ['wan2.5 without rewriting', 'Multi-shot narrative', 'a failed task'],
  },
  { member: 'output.code', value: text, in: ['a failed task'], notIn: everySuccess },
  { member: 'output.message', value: text, in: ['a failed task'], notIn: everySuccess },
  { member: 'usage', value: expect.any(Object), in: everySuccess, notIn: ['a failed task'] },
  {
    member: 'usage.input_video_duration',
    value: 0,
    in: ['Multi-shot narrative'],
    notIn: [...wan25And22, 'wan2.1'],
  },
  {
    member: 'usage.output_video_duration',
    value: 10,
    in: ['Multi-shot narrative'],
    notIn: [...wan25And22, 'wan2.1'],
  },
  { member: 'usage.duration', value: 10, in: ['Multi-shot narrative', 'Automatic dubbing', 'Input audio file'] },
  {
    member: 'usage.duration',
    value: 5,
    in: ['Generate a silent video', 'wan2.5 without rewriting'],
    notIn: ['wan2.1'],
  },
  { member: 'usage.SR', value: 720, in: ['Multi-shot narrative'], notIn: ['wan2.1'] },
  { member: 'usage.SR', value: 480, in: wan25And22 },
  { member: 'usage.video_count', value: 1, in: everySuccess },
  { member: 'usage.video_duration', value: 3, in: ['wan2.1'], notIn: ['Multi-shot narrative', ...wan25And22] },
  { member: 'usage.video_ratio', value: 'standard', in: ['wan2.1'], notIn: ['Multi-shot narrative', ...wan25And22] },
];

test.each(rows)(
  '$member is $value where the reference has it, and nowhere else',
  ({ member, value, in: present, notIn = [] }) => {
    const path = member.split('.');
    for (const name of present) expect([name, responses.get(name)?.queried]).toHaveProperty(['1', ...path], value);
    for (const name of notIn) expect([name, responses.get(name)?.queried]).not.toHaveProperty(['1', ...path]);
  },
);

test('a running task has no end, video or usage', () => {
  expect(running).toEqual({
    request_id: uuid,
    output: {
      ...{ task_id: uuid, task_status: 'RUNNING', submit_time: time, scheduled_time: time, orig_prompt: prompt },
    },
  });
});
