import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { canary, isFailure } from '../../../functions/maintenance/canary.ts';
import { createWanClient } from '../../../functions/wan/client/client.ts';
import { json, raw, startWanServer, type WanServer } from '../wan/client/wan-server.ts';

let wan: WanServer;
beforeAll(async () => {
  wan = await startWanServer();
});
afterAll(() => wan.close());
beforeEach(() => {
  wan.requests.length = 0;
  wan.script.length = 0;
});

const now = () => Date.parse('2026-01-10T20:05:00Z');

/** Runs the canary once and returns its report and metrics. */
async function run({ apiKey = async () => 'sk-good', baseUrl = wan.baseUrl } = {}) {
  const metrics: unknown[] = [];
  const report = await canary({
    wan: createWanClient({ baseUrl, apiKey, fetch }),
    apiKey,
    recordMetric: (...metric) => metrics.push(metric),
    now,
  });
  return { report, metrics };
}

const refusal = (status: number, code: string) => json(status, { code, message: 'words', request_id: 'r-1' });

describe('the canary', () => {
  test('makes one list query for the last minute, and creates nothing', async () => {
    wan.script.push(json(200, { total: 0, data: [], total_page: 0, page_no: 1, page_size: 1, request_id: 'r' }));
    const { report, metrics } = await run();
    expect(report).toEqual({ outcome: 'answered' });
    expect(metrics).toEqual([['CanaryFailed', 0, { outcome: 'answered' }]]);
    expect(wan.requests).toHaveLength(1);
    const [{ method, url, body }] = wan.requests as [WanServer['requests'][number]];
    expect([method, body]).toEqual(['GET', '']);
    const { pathname, searchParams } = new URL(url, wan.origin);
    expect(pathname).toBe('/api/v1/tasks/');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      page_size: '1',
      page_no: '1',
      start_time: '20260110200400',
    });
  });

  test('reports what is wrong with the text of the key, and sends nothing', async () => {
    const { report } = await run({ apiKey: async () => 'Bearer sk-secret' });
    expect(report).toEqual({
      outcome: 'refused',
      cause: 'key_has_bearer',
      message: expect.stringContaining('starts with the word Bearer'),
    });
    expect(JSON.stringify(report)).not.toContain('sk-secret');
    expect(wan.requests).toEqual([]);
  });

  test.each<[string, Parameters<typeof json>, object]>([
    ['an invalid key', [401, { code: 'InvalidApiKey', message: 'x' }], { outcome: 'refused', cause: 'invalid_key' }],
    ['arrears', [400, { code: 'Arrearage', message: 'x' }], { outcome: 'refused', cause: 'arrears' }],
    ['no permission', [403, { code: 'AccessDenied', message: 'x' }], { outcome: 'refused', cause: 'access_denied' }],
    ['a wrong base URL', [404, { unexpected: 'body' }], { outcome: 'refused', cause: 'endpoint' }],
    ['an outage', [503, { unexpected: 'body' }], { outcome: 'unreachable', cause: 'http_503' }],
    ['a list in another form', [200, { tasks: 1 }], { outcome: 'unreachable', cause: 'response_malformed' }],
  ])('reports %s and fails', async (_, [status, body], expected) => {
    wan.script.push(json(status, body));
    const { report, metrics } = await run();
    expect(report).toMatchObject(expected);
    expect(isFailure(report)).toBe(true);
    expect(metrics).toEqual([['CanaryFailed', 1, { outcome: report.outcome }]]);
  });

  test("reports Wan's request id, for Alibaba Cloud's support", async () => {
    wan.script.push(refusal(503, 'ModelServingError'));
    expect((await run()).report).toEqual({ outcome: 'unreachable', cause: 'ModelServingError', request_id: 'r-1' });
  });

  test('fails when Wan is unreachable', async () => {
    const { report } = await run({ baseUrl: 'http://127.0.0.1:1/api/v1' });
    expect(report).toMatchObject({ outcome: 'unreachable' });
    expect(isFailure(report)).toBe(true);
  });

  test('fails when Wan closes the connection', async () => {
    wan.script.push((response) => void response.destroy());
    expect((await run()).report).toMatchObject({ outcome: 'unreachable' });
  });

  test('does not fail when Wan throttles, which has its own metric', async () => {
    wan.script.push(refusal(429, 'Throttling.RateQuota'));
    const { report, metrics } = await run();
    expect(report).toEqual({ outcome: 'throttled' });
    expect(metrics).toEqual([['CanaryFailed', 0, { outcome: 'throttled' }]]);
  });

  test('neither queries nor fails while no key is set, but records its run', async () => {
    const { report, metrics } = await run({ apiKey: async () => '' });
    expect(report).toEqual({ outcome: 'unset' });
    expect(metrics).toEqual([['CanaryFailed', 0, { outcome: 'unset' }]]);
    expect(wan.requests).toEqual([]);
  });

  test('distinguishes an unreadable secret from an unset one', async () => {
    const denied = Object.assign(new Error('User is not authorized'), { name: 'AccessDeniedException' });
    const { report, metrics } = await run({ apiKey: () => Promise.reject(denied) });
    expect(report).toEqual({ outcome: 'secret_unreadable', cause: 'AccessDeniedException' });
    expect(metrics).toEqual([['CanaryFailed', 1, { outcome: 'secret_unreadable' }]]);
    expect(wan.requests).toEqual([]);
  });

  test('does not report the key', async () => {
    wan.script.push(raw(401, JSON.stringify({ code: 'InvalidApiKey', message: 'Bearer sk-good is wrong' })));
    expect(JSON.stringify(await run())).not.toContain('sk-good');
  });
});
