import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWanClient } from '../../../../functions/wan/client/client.ts';
import { billedSeconds, type Task } from '../../../../functions/wan/client/query-task.ts';
import { json, oversize, raw, reset, silence, startWanServer, truncated, type WanServer } from './wan-server.ts';

let wan: WanServer;
beforeAll(async () => {
  wan = await startWanServer();
});
afterAll(() => wan.close());
beforeEach(() => {
  wan.requests.length = 0;
  wan.script.length = 0;
});

const client = (baseUrl = wan.baseUrl) =>
  createWanClient({ baseUrl, apiKey: async () => 'sk-1', fetch, timeouts: { query: 3000, upload: 3000 } });
const id = 'af6efbc0-4bef-4194';
const output = (fields: object) => ({ request_id: 'r-1', output: { task_id: id, ...fields } });

describe('queryTask', () => {
  test('reads a succeeded task with times in UTC', async () => {
    wan.script.push(
      json(200, {
        ...output({
          task_status: 'SUCCEEDED',
          submit_time: '2025-09-25 11:07:28.590',
          scheduled_time: '2025-09-25 11:07:35.349',
          end_time: '2025-09-25 11:17:11.650',
          orig_prompt: 'A scene',
          video_url: 'https://dashscope-result-sh.oss-cn-shanghai.aliyuncs.com/xxx.mp4?Expires=xxx',
        }),
        usage: { duration: 10, input_video_duration: 0, output_video_duration: 10, video_count: 1, SR: 720, fresh: [] },
      }),
    );
    expect(await client(`${wan.baseUrl}/`).queryTask(id)).toEqual({
      outcome: 'task',
      status: 'SUCCEEDED',
      task_id: id,
      request_id: 'r-1',
      submit_time: '2025-09-25T03:07:28.590Z',
      scheduled_time: '2025-09-25T03:07:35.349Z',
      end_time: '2025-09-25T03:17:11.650Z',
      orig_prompt: 'A scene',
      video_url: 'https://dashscope-result-sh.oss-cn-shanghai.aliyuncs.com/xxx.mp4?Expires=xxx',
      usage: { duration: 10, input_video_duration: 0, output_video_duration: 10, video_count: 1, SR: 720 },
    });
    expect(wan.requests[0]).toMatchObject({ method: 'GET', url: `/api/v1/tasks/${id}`, body: '' });
    expect(wan.requests[0]?.headers).toMatchObject({ authorization: 'Bearer sk-1' });
  });

  test.each(['PENDING', 'RUNNING', 'CANCELED', 'UNKNOWN'])('reads the status %s', async (status) => {
    wan.script.push(json(200, output({ task_status: status })));
    expect(await client().queryTask(id)).toEqual({ outcome: 'task', status, task_id: id, request_id: 'r-1' });
  });

  test('reads code and message of a failed task without the prompt', async () => {
    const fields = {
      task_status: 'FAILED',
      code: 'InvalidParameter',
      message: 'The size of "a red cat" is not match',
      orig_prompt: 'a red cat',
    };
    wan.script.push(json(200, output(fields)));
    expect(await client().queryTask(id)).toMatchObject({
      ...{ status: 'FAILED', code: 'InvalidParameter', message: 'The size of "[removed]" is not match' },
    });
  });

  test('returns unrecognised for an unknown status', async () => {
    wan.script.push(json(200, output({ task_status: 'SUSPENDED' })));
    expect(await client().queryTask(id)).toEqual({
      outcome: 'unrecognised',
      status: 'SUSPENDED',
      task_id: id,
      request_id: 'r-1',
    });
  });

  test('drops fields of a wrong type and keeps the paid video', async () => {
    const wrongTypes = {
      task_status: 'SUCCEEDED',
      video_url: 'https://a/v.mp4',
      submit_time: 12,
      end_time: 'soon',
      orig_prompt: {},
      code: '',
    };
    wan.script.push(json(200, { output: wrongTypes, usage: 'none', request_id: null }));
    expect(await client().queryTask(id)).toEqual({
      outcome: 'task',
      status: 'SUCCEEDED',
      task_id: id,
      video_url: 'https://a/v.mp4',
    });
    wan.script[0] = json(200, {
      ...output(wrongTypes),
      usage: { duration: '5', video_duration: 5, video_ratio: 'standard' },
    });
    expect(await client().queryTask(id)).toMatchObject({ usage: { video_duration: 5, video_ratio: 'standard' } });
  });

  test('truncates texts to the limits of a record without splitting a character', async () => {
    const long = 'x'.repeat(100_000);
    for (const [actual_prompt, expected] of [
      ['🐈'.repeat(60_000), '🐈'.repeat(20_000)],
      [`a${'🐈'.repeat(60_000)}`, `a${'🐈'.repeat(19_999)}`],
      [long, long.slice(0, 20_000)],
      ['🐈'.repeat(20_000), '🐈'.repeat(20_000)],
    ]) {
      const fields = { task_status: 'SUCCEEDED', video_url: 'https://a/v.mp4', actual_prompt, orig_prompt: long };
      const usage = { duration: 5, video_ratio: long };
      wan.script[0] = json(200, { ...output(fields), request_id: long, usage });
      const task = (await client().queryTask(id)) as Task;
      expect([...task.actual_prompt!]).toHaveLength(20_000);
      expect(task.actual_prompt === expected).toBe(true);
      // Not stored: only compared with the prompt that was sent.
      expect(task.orig_prompt).toHaveLength(100_000);
      expect([task.request_id!.length, task.usage!.video_ratio!.length]).toEqual([300, 300]);
    }
  });

  test('drops usage numbers that a record cannot hold', async () => {
    const usage = { duration: 1e300, video_duration: 1e17, output_video_duration: 1e-200, video_count: -1, SR: 720 };
    wan.script.push(json(200, { ...output({ task_status: 'SUCCEEDED', video_url: 'https://a/v.mp4' }), usage }));
    expect(await client().queryTask(id)).toHaveProperty('usage', { SR: 720 });
  });

  test.each([
    ['a success without a video', json(200, output({ task_status: 'SUCCEEDED' })), 'response_malformed'],
    [
      "another task's response",
      json(200, { output: { task_id: 'other', task_status: 'RUNNING' } }),
      'response_malformed',
    ],
    ['no status', json(200, output({})), 'response_malformed'],
    ['a list', json(200, []), 'response_malformed'],
    ['no JSON', raw(200, 'ok'), 'response_malformed'],
    ["a gateway's 502", raw(502, '<html>'), 'http_502'],
    ['an error of Wan', json(500, { code: 'InternalError', message: 'm', request_id: 'r' }), 'InternalError'],
    ['a refusal', json(400, { code: 'InvalidParameter', message: 'm', request_id: 'r' }), 'refused'],
    ['a large response', oversize, 'response_too_large'],
    ['a timeout', silence, 'timeout'],
    ['a reset', reset, expect.stringMatching(/^(UND_ERR_|ECONNRESET)/)],
    ['a truncated response', truncated, expect.stringMatching(/^(UND_ERR_|ECONNRESET)/)],
  ])('returns a retryable outcome for %s', async (_, response, cause) => {
    wan.script.push(response);
    expect(await client().queryTask(id)).toMatchObject({
      outcome: 'unavailable',
      cause,
      retryable: true,
      billed: false,
    });
  });

  test.each([
    [429, 'Throttling.RateQuota', { outcome: 'throttled', retryable: true }],
    [401, 'InvalidApiKey', { outcome: 'account_refused', reason: 'invalid_key' }],
  ])('maps %i %s to its outcome', async (status, code, expected) => {
    wan.script.push(json(status, { code, message: 'm', request_id: 'r' }));
    expect(await client().queryTask(id)).toMatchObject({ ...expected, code, request_id: 'r' });
  });

  test('reuses connections for consecutive queries', async () => {
    let connections = 0;
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(output({ task_status: 'RUNNING' })));
    }).on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const wanClient = client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    for (let count = 0; count < 10; count += 1) await wanClient.queryTask(id);
    // The next query may start before the first connection is free again.
    expect(connections).toBeLessThanOrEqual(2);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('throws for an invalid task id instead of sending it as a path', async () => {
    for (const bad of ['', '.', '..', 'a/b', 'a?b', '%2e', 'a b'])
      await expect(client().queryTask(bad)).rejects.toThrow(TypeError);
    expect(wan.requests).toHaveLength(0);
  });

  test.each([
    [{ duration: 10, output_video_duration: 10 }, 10],
    [{ video_duration: 0, duration: 5 }, 5],
    [{ video_duration: 4 }, 4],
    [{ duration: 0, video_duration: 3 }, 3],
    [{}, undefined],
    [undefined, undefined],
  ])('usage %j bills %s seconds', (usage, seconds) => {
    expect(billedSeconds(usage as Parameters<typeof billedSeconds>[0])).toBe(seconds);
  });
});
