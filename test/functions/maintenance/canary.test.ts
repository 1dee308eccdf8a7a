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
  wan.seen.length = 0;
  wan.script.length = 0;
});

const now = () => Date.parse('2026-01-10T20:05:00Z');

/** One run, and the metrics it recorded. */
async function run({ apiKey = async () => 'sk-good', baseUrl = wan.baseUrl } = {}) {
  const recorded: unknown[] = [];
  const report = await canary({
    wan: createWanClient({ baseUrl, apiKey, fetch }),
    apiKey,
    recordMetric: (...figure) => recorded.push(figure),
    now,
  });
  return { report, recorded };
}

const refusal = (status: number, code: string) => json(status, { code, message: 'words', request_id: 'r-1' });

describe('the canary', () => {
  test('asks for one page of one list of the last minute, and creates nothing', async () => {
    wan.script.push(json(200, { total: 0, data: [], total_page: 0, page_no: 1, page_size: 1, request_id: 'r' }));
    const { report, recorded } = await run();
    expect(report).toEqual({ outcome: 'answered' });
    expect(recorded).toEqual([['CanaryFailed', 0, { outcome: 'answered' }]]);
    expect(wan.seen).toHaveLength(1);
    const [{ method, url, body }] = wan.seen as [WanServer['seen'][number]];
    expect([method, body]).toEqual(['GET', '']);
    const { pathname, searchParams } = new URL(url, wan.origin);
    expect(pathname).toBe('/api/v1/tasks/');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      page_size: '1',
      page_no: '1',
      start_time: '20260110200400',
    });
  });

  test.each<[string, Parameters<typeof json>, object]>([
    ['a wrong key', [401, { code: 'InvalidApiKey', message: 'x' }], { outcome: 'refused', cause: 'invalid_key' }],
    ['arrears', [400, { code: 'Arrearage', message: 'x' }], { outcome: 'refused', cause: 'arrears' }],
    ['no permission', [403, { code: 'AccessDenied', message: 'x' }], { outcome: 'refused', cause: 'access_denied' }],
    ['a wrong address', [404, { error: 'unknown' }], { outcome: 'refused', cause: 'endpoint' }],
    ['an outage', [503, { error: 'unknown' }], { outcome: 'unreachable', cause: 'http_503' }],
    ['a list in another form', [200, { tasks: 1 }], { outcome: 'unreachable', cause: 'answer_malformed' }],
  ])('fails at %s', async (_, [status, body], expected) => {
    wan.script.push(json(status, body));
    const { report, recorded } = await run();
    expect(report).toMatchObject(expected);
    expect(isFailure(report)).toBe(true);
    expect(recorded).toEqual([['CanaryFailed', 1, { outcome: report.outcome }]]);
  });

  test("reports Wan's request id, for a question to Alibaba Cloud", async () => {
    wan.script.push(refusal(503, 'ModelServingError'));
    expect((await run()).report).toEqual({ outcome: 'unreachable', cause: 'ModelServingError', request_id: 'r-1' });
  });

  test('fails when Wan cannot be reached', async () => {
    const { report } = await run({ baseUrl: 'http://127.0.0.1:1/api/v1' });
    expect(report).toMatchObject({ outcome: 'unreachable' });
    expect(isFailure(report)).toBe(true);
  });

  test('fails when Wan closes the connection', async () => {
    wan.script.push((response) => void response.destroy());
    expect((await run()).report).toMatchObject({ outcome: 'unreachable' });
  });

  test('does not fail when Wan throttles: that has a metric of its own', async () => {
    wan.script.push(refusal(429, 'Throttling.RateQuota'));
    const { report, recorded } = await run();
    expect(report).toEqual({ outcome: 'throttled' });
    expect(recorded).toEqual([['CanaryFailed', 0, { outcome: 'throttled' }]]);
  });

  test('neither asks nor fails while no key is set, but records that it ran', async () => {
    const { report, recorded } = await run({ apiKey: async () => '' });
    expect(report).toEqual({ outcome: 'unset' });
    expect(recorded).toEqual([['CanaryFailed', 0, { outcome: 'unset' }]]);
    expect(wan.seen).toEqual([]);
  });

  test('distinguishes a secret that cannot be read from one that is not set', async () => {
    const denied = Object.assign(new Error('User is not authorized'), { name: 'AccessDeniedException' });
    const { report, recorded } = await run({ apiKey: () => Promise.reject(denied) });
    expect(report).toEqual({ outcome: 'secret_unreadable', cause: 'AccessDeniedException' });
    expect(recorded).toEqual([['CanaryFailed', 1, { outcome: 'secret_unreadable' }]]);
    expect(wan.seen).toEqual([]);
  });

  test('never reports the key', async () => {
    wan.script.push(raw(401, JSON.stringify({ code: 'InvalidApiKey', message: 'Bearer sk-good is wrong' })));
    expect(JSON.stringify(await run())).not.toContain('sk-good');
  });
});
