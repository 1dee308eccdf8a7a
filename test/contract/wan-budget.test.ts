import { describe, expect, test } from 'vitest';
import { cheapest, createBudget } from './wan-budget.ts';
import { isLive } from './wan-target.ts';

const { model, resolution } = cheapest;

describe('on the real service', () => {
  const sent: string[] = [];
  const network: typeof fetch = async (url) => {
    sent.push(String(url));
    return Response.json({ output: { task_id: 'x', task_status: 'PENDING' } });
  };
  const submitUrl = 'https://wan.example/api/v1/services/aigc/video-generation/video-synthesis';
  const submit = (budget: ReturnType<typeof createBudget>, body: object, key = 'sk-pays') =>
    budget.fetch(submitUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model, parameters: { resolution }, ...body }),
    });

  test('never sends a second video, a more expensive one or one without a price; other keys and queries are free', async () => {
    for (const region of ['singapore', 'beijing'] as const) {
      sent.length = 0;
      const budget = createBudget({ key: 'sk-pays', region, limit: 0.1, fetch: network });
      await expect(submit(budget, { parameters: { resolution: '720P' } })).rejects.toThrow('WAN_LIVE_MAX_USD');
      await expect(submit(budget, { model: 'wan2.7-i2v' })).rejects.toThrow('WAN_LIVE_MAX_USD');
      await expect(submit(budget, { model: 'wan9' })).rejects.toThrow('WAN_LIVE_MAX_USD');
      expect(sent).toEqual([]);
      await submit(budget, {});
      await expect(submit(budget, {})).rejects.toThrow('WAN_LIVE_MAX_USD');
      await submit(budget, {}, 'sk-other');
      await budget.fetch('https://wan.example/api/v1/tasks/x', { method: 'GET' });
      expect(sent).toHaveLength(3);
      expect(budget.spent()).toBeLessThanOrEqual(0.1);
    }
  });

  test('runs the suite only with both the key and WAN_LIVE=1', () => {
    expect(isLive({ WAN_LIVE: '1', DASHSCOPE_API_KEY: 'sk-1' })).toBe(true);
    expect([isLive({}), isLive({ DASHSCOPE_API_KEY: 'sk-1' })]).toEqual([false, false]);
    expect(() => isLive({ WAN_LIVE: '1' })).toThrow('DASHSCOPE_API_KEY');
  });
});
