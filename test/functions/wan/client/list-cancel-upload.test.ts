import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWanClient } from '../../../../functions/wan/client/client.ts';
import { json, raw, silence, startWanServer, type WanServer } from './wan-server.ts';

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
const upload = {
  model: 'wan2.6-i2v',
  name: 'my cat.png',
  bytes: Buffer.from('image'),
  content_type: 'image/png',
} as const;

describe('listTasks', () => {
  const span = {
    model: 'wan2.6-i2v',
    start_time: '2026-01-10T20:00:00.000Z',
    end_time: '2026-01-10T20:05:00.000Z',
  } as const;
  const at = (time: string) => Date.parse(`2026-01-10T${time}Z`);

  test('queries a span that covers both time zones and drops tasks outside of it', async () => {
    const rows = [
      {
        task_id: 'in',
        status: 'RUNNING',
        model_name: 'wan2.6-i2v',
        gmt_create: at('20:01:00'),
        start_time: at('20:01:09'),
        request_id: 'r-9',
        region: 'x',
      },
      { task_id: 'ended', status: 'SUCCEEDED', gmt_create: String(at('20:04:59')), end_time: at('20:06:00') },
      { task_id: 'timeless', status: 'PENDING', gmt_create: null },
      { task_id: 'early', status: 'PENDING', gmt_create: at('19:59:00') },
      { task_id: 'late', status: 'PENDING', gmt_create: at('20:06:00') },
      { task_id: 'other', status: 'PENDING', model_name: 'wan2.5-i2v-preview', gmt_create: at('20:01:00') },
    ];
    wan.script.push(json(200, { total: 6, data: rows, total_page: 3, page_no: 2, page_size: 50, request_id: 'r-1' }));
    expect(await client().listTasks({ ...span, page_no: 2, page_size: 50, status: 'RUNNING' })).toEqual({
      outcome: 'tasks',
      tasks: [
        { task_id: 'in', status: 'RUNNING', submit_time: '2026-01-10T20:01:00.000Z' },
        { task_id: 'ended', status: 'SUCCEEDED', submit_time: '2026-01-10T20:04:59.000Z' },
        { task_id: 'timeless', status: 'PENDING' },
      ],
      total_page: 3,
    });
    const url = new URL(wan.requests[0]?.url ?? '', wan.origin);
    expect(url.pathname).toBe('/api/v1/tasks/');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{ model_name: 'wan2.6-i2v', status: 'RUNNING', page_no: '2', page_size: '50' },
      ...{ start_time: '20260110200000', end_time: '20260111040501' },
    });
  });

  test.each([
    ['utc', '20260110200000', '20260110200501'],
    ['wan', '20260111040000', '20260111040501'],
  ] as const)('queries exactly the span for the time zone %s', async (clock, start_time, end_time) => {
    wan.script.push(json(200, { total: 0, data: [], total_page: 0, page_no: 1, page_size: 100 }));
    await client().listTasks({ ...span, clock });
    const { searchParams } = new URL(wan.requests.at(-1)?.url ?? '', wan.origin);
    expect(Object.fromEntries(searchParams)).toMatchObject({ start_time, end_time });
  });

  test('rejects a list with an unreadable row: a missed task would be paid twice', async () => {
    wan.script.push(json(200, { data: [{ task_id: 'a', status: 'RUNNING' }, { status: 'RUNNING' }] }));
    expect(await client().listTasks(span)).toMatchObject({ outcome: 'unavailable', cause: 'response_malformed' });
  });

  test('throws for a span that Wan would refuse', async () => {
    await expect(client().listTasks({ ...span, end_time: '2026-01-11T12:00:01.000Z' })).rejects.toThrow(RangeError);
    await expect(client().listTasks({ ...span, end_time: '2026-01-10T19:00:00.000Z' })).rejects.toThrow(RangeError);
    await expect(client().listTasks({ ...span, end_time: 'now' })).rejects.toThrow(RangeError);
  });
});

describe('cancelTask', () => {
  test('posts an empty body without a content type', async () => {
    wan.script.push(json(200, { request_id: 'r-1' }));
    expect(await client().cancelTask(id)).toEqual({ outcome: 'canceled', request_id: 'r-1' });
    expect(wan.requests[0]).toMatchObject({ method: 'POST', url: `/api/v1/tasks/${id}/cancel`, body: '' });
    expect(wan.requests[0]?.headers).toMatchObject({ 'content-length': '0' });
    expect(wan.requests[0]?.headers).not.toHaveProperty('content-type');
  });

  test.each([
    [
      400,
      { code: 'UnsupportedOperation', message: 'Failed to cancel…', request_id: 'r' },
      { outcome: 'not_pending', request_id: 'r' },
    ],
    [
      400,
      { code: 'InvalidParameter', message: 'm' },
      { outcome: 'unavailable', cause: 'refused', code: 'InvalidParameter' },
    ],
    [429, { code: 'Throttling', message: 'm' }, { outcome: 'throttled' }],
    [502, {}, { outcome: 'unavailable', cause: 'http_502' }],
  ])('maps %i %j to its outcome', async (status, body, expected) => {
    wan.script.push(json(status, body));
    expect(await client().cancelTask(id)).toMatchObject(expected);
  });
});

describe('uploadFile', () => {
  const policy = (host: string, more: object = {}) => ({
    request_id: 'r',
    data: {
      ...{
        policy: 'P',
        signature: 'S',
        upload_dir: 'dashscope-instant/x/2026',
        upload_host: host,
        expire_in_seconds: 300,
      },
      ...{
        max_file_size_mb: 1,
        oss_access_key_id: 'K',
        x_oss_object_acl: 'private',
        x_oss_forbid_overwrite: 'true',
        ...more,
      },
    },
  });

  test('gets a policy and posts a form with the file last and without the API key', async () => {
    wan.script.push(json(200, policy(`${wan.origin}/oss`)), raw(200, ''));
    expect(await client().uploadFile(upload)).toEqual({
      outcome: 'uploaded',
      url: 'oss://dashscope-instant/x/2026/my_cat.png',
    });
    expect(wan.requests[0]?.url).toBe('/api/v1/uploads?action=getPolicy&model=wan2.6-i2v');
    const form = wan.requests[1];
    expect(form).toMatchObject({ method: 'POST', url: '/oss' });
    expect(form?.headers).not.toHaveProperty('authorization');
    const names = [...(form?.body.matchAll(/name="([\w-]+)"/g) ?? [])].map(([, name]) => name);
    expect(names).toEqual([
      ...['OSSAccessKeyId', 'Signature', 'policy', 'key', 'x-oss-object-acl', 'x-oss-forbid-overwrite'],
      ...['success_action_status', 'x-oss-content-type', 'file'],
    ]);
    expect(form?.body).toContain('Content-Type: image/png\r\n\r\nimage\r\n');
  });

  test.each([
    'https://evil.example/',
    'http://dashscope-file.oss-cn-beijing.aliyuncs.com/',
    'https://aliyuncs.com.evil.example/',
    'https://a:b@x.oss-cn-beijing.aliyuncs.com/',
    'http://169.254.169.254/',
    'nonsense',
  ])('sends nothing to %s', async (host) => {
    wan.script.push(json(200, policy(host)));
    expect(await client().uploadFile(upload)).toMatchObject({
      outcome: 'unavailable',
      cause: 'upload_host_untrusted',
    });
    expect(wan.requests).toHaveLength(1);
  });

  test.each([
    ['a refused form', [json(200, 'ok'), raw(403, '<Error/>')], 'upload_http_403'],
    ['a redirect', [json(200, 'ok'), raw(302, '', { location: 'http://127.0.0.1:1/' })], 'upload_http_302'],
    ['a timeout', [json(200, 'ok'), silence], 'timeout'],
  ])('returns a retryable outcome for %s', async (_, [, response], cause) => {
    wan.script.push(json(200, policy(`${wan.origin}/oss`)), response!);
    expect(await client().uploadFile(upload)).toMatchObject({ outcome: 'unavailable', cause, retryable: true });
  });

  test('sends no form for an unreadable policy or a file over its limit', async () => {
    wan.script.push(json(200, { data: {} }));
    expect(await client().uploadFile(upload)).toMatchObject({ cause: 'response_malformed' });
    wan.script[0] = json(200, policy(`${wan.origin}/oss`));
    expect(await client().uploadFile({ ...upload, bytes: Buffer.alloc(1024 * 1024 + 1) })).toMatchObject({
      cause: 'file_too_large',
    });
    expect(wan.requests).toHaveLength(2);
  });
});
