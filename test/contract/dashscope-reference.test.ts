import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readVideo } from '../../functions/video/store.ts';
import { explainEnding } from '../../functions/wan/failures.ts';
import { serveDashscope } from '../functions/api/dashscope/serve.ts';
import { aTask, moveTo, succeed } from '../functions/api/dashscope/support.ts';
import { curl } from '../local/wan/curl.ts';
import { examples, prompt } from '../support/reference-examples.ts';
import { startTable } from '../support/table.ts';

/*
 * The examples of the reference, sent with curl to firstframe instead of the service: only base URL, key and prompts differ.
 * The test writes the progress of the task into the record.
 */

/** Submit time and end of the reference's example; the first is 2025-09-25 11:07:28.590 in UTC+8. */
const submitted = Date.parse('2025-09-25T03:07:28.590Z');
const ended = Date.parse('2025-09-25T03:17:11.650Z');
let now = submitted;

const store = startTable(() => now);
let served: Awaited<ReturnType<typeof serveDashscope>>;
beforeAll(async () => {
  served = await serveDashscope(store.table);
});
afterAll(async () => {
  await served?.close();
});

const submitCommand = (
  body: object,
) => `curl --location '${served.url}/services/aigc/video-generation/video-synthesis' \\
    -H 'X-DashScope-Async: enable' \\
    -H "Authorization: Bearer $DASHSCOPE_API_KEY" \\
    -H 'Content-Type: application/json' \\
    -d '${JSON.stringify(body, null, 4)}'`;

const queryCommand = (taskId: string) => `curl -X GET ${served.url}/tasks/${taskId} \\
--header "Authorization: Bearer $DASHSCOPE_API_KEY"`;

const text = expect.stringMatching(/\S/);
const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
const times = {
  submit_time: '2025-09-25 11:07:28.590',
  scheduled_time: '2025-09-25 11:07:35.349',
  end_time: '2025-09-25 11:17:11.650',
};

async function created(body: object): Promise<string> {
  now = submitted;
  const response = await curl(submitCommand(body));
  // "Successful response" of step 1, and of the SDKs.
  expect(response).toEqual({ output: { task_status: 'PENDING', task_id: uuid }, request_id: text });
  return response.output.task_id;
}

describe.each(Object.keys(examples) as (keyof typeof examples)[])('the example "%s", run with curl', (name) => {
  test('creates a PENDING task, then the requested video', async () => {
    const id = await created(examples[name]);
    const { input, ...others } = examples[name] as { input: Record<string, string> };
    const { img_url, audio_url, ...texts } = input;
    expect(await readVideo(store.table, id)).toMatchObject({
      ...others,
      input: {
        ...texts,
        media: [
          { type: 'first_frame', url: img_url },
          ...(audio_url ? [{ type: 'driving_audio', url: audio_url }] : []),
        ],
      },
    });
    now = ended;
    const is26 = name === 'Multi-shot narrative';
    const actual_prompt = is26 ? undefined : 'A painted figure sings, vividly.';
    await succeed(store.table, id, {
      task: aTask({ status: 'SUCCEEDED', ...(actual_prompt ? { actual_prompt } : {}) }),
    });
    const { duration, resolution } = { duration: 5, ...examples[name].parameters };
    const SR = Number.parseInt(resolution, 10);
    // "Task succeeded", and of the SDKs.
    expect(await curl(queryCommand(id))).toEqual({
      request_id: text,
      output: {
        ...{ task_id: id, task_status: 'SUCCEEDED', ...times, orig_prompt: prompt },
        video_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1\/api\/v1\/files\/\S+\.mp4$/),
        ...(actual_prompt ? { actual_prompt } : {}),
      },
      usage: is26
        ? { duration, input_video_duration: 0, output_video_duration: duration, video_count: 1, SR }
        : { duration, video_count: 1, SR },
    });
  });
});

test('a running task has no end, video or usage', async () => {
  const id = await created(examples['Automatic dubbing']);
  await moveTo(store.table, id, 'running', { set: { task: aTask() } });
  const { end_time: _, ...until } = times;
  expect(await curl(queryCommand(id))).toEqual({
    request_id: text,
    output: { task_id: id, task_status: 'RUNNING', ...until, orig_prompt: prompt },
  });
});

test('a failed task has the members of the example, and its times', async () => {
  const id = await created(examples['Automatic dubbing']);
  await moveTo(store.table, id, 'failed', { set: { error: explainEnding('invalid_request') } });
  const { output, ...rest } = await curl(queryCommand(id));
  expect(rest).toEqual({ request_id: text });
  expect(output).toEqual({
    ...{ task_id: id, task_status: 'FAILED', code: 'InvalidParameter', message: text },
    ...{ submit_time: times.submit_time, end_time: times.submit_time, orig_prompt: prompt },
  });
});

test('an unknown task is UNKNOWN like an expired one', async () => {
  expect(await curl(queryCommand('86ecf553-d340-4e21-xxxxxxxxx'))).toEqual({
    request_id: text,
    output: { task_id: '86ecf553-d340-4e21-xxxxxxxxx', task_status: 'UNKNOWN' },
  });
});

test('a task stays after a year instead of the 24 hours of the reference', async () => {
  const id = await created(examples['Generate a silent video']);
  await succeed(store.table, id);
  now = submitted + 365 * 24 * 3_600_000;
  expect((await curl(queryCommand(id))).output).toMatchObject({ task_status: 'SUCCEEDED', video_url: text });
});

test('an error has code, message and request_id', async () => {
  const command = submitCommand(examples['Automatic dubbing']).replace(/ +-H 'X-DashScope-Async: enable' \\\n/, '');
  expect(await curl(command)).toEqual({
    code: 'AccessDenied',
    message: expect.stringMatching(
      /^current user api does not support synchronous calls\. Send the header X-DashScope-Async/,
    ),
    request_id: text,
  });
  expect(await curl(queryCommand('any'), 'sk-invalid')).toEqual({
    code: 'InvalidApiKey',
    message: expect.stringMatching(/^Invalid API-key provided\./),
    request_id: text,
  });
});
