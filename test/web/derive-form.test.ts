import { expect, test } from 'vitest';
import { createApi } from '../../web/api.ts';
import { deriveQuestion } from '../../web/derive-form.ts';

const price = { amount: 0.7, currency: 'USD', unit_price: 0.1, seconds: 7, as_of: '2026-11-01' } as const;
const estimate = {
  model: 'wan2.7-i2v',
  parameters: { resolution: '720P', duration: 7, watermark: false },
  estimated_cost: price,
  estimated_seconds: 100,
  warnings: [{ pointer: '/seconds_to_add', code: 'source_billed_again', message: 'Wan bills the whole.' }],
} as const;

test('the price of all videos is shown first, with what the API warns of', () => {
  const question = (count: number, given: object = {}) =>
    deriveQuestion({ ...estimate, warnings: [...estimate.warnings], ...given }, count);
  expect(question(1)).toBe('One video of wan2.7-i2v, 720P, 7 s: at most $0.70. Wan bills the whole.');
  expect(question(3)).toContain('3 videos of wan2.7-i2v, 720P, 7 s: at most $2.10.');
  expect(question(1, { estimated_cost: null })).toContain('an unknown price');
  expect(question(1, { parameters: { ...estimate.parameters, duration: -1 } })).toContain('that the model chooses');
});

test('an estimate creates nothing, and one key is sent with what is created', async () => {
  const sent: { url: string; body: unknown; key: string | null }[] = [];
  const send: typeof fetch = async (url, init) => {
    const key = new Headers(init?.headers).get('idempotency-key');
    sent.push({ url: String(url), body: JSON.parse(String(init?.body)), key });
    return Response.json(String(url).endsWith('variations') ? { data: [{ id: 'a' }, { id: 'b' }] } : { id: 'c' });
  };
  const api = createApi(new URL('https://api.example/v1/'), () => 'key', send);
  await api.estimateDerived('x', 'extend', { seconds_to_add: 2 });
  expect(await api.derive('x', 'extend', { seconds_to_add: 2 }, 'k1')).toEqual([{ id: 'c' }]);
  expect(await api.derive('x', 'variations', { n: 2 }, 'k2')).toEqual([{ id: 'a' }, { id: 'b' }]);
  expect(sent).toEqual([
    { url: 'https://api.example/v1/videos/x/extend', body: { seconds_to_add: 2, dry_run: true }, key: null },
    { url: 'https://api.example/v1/videos/x/extend', body: { seconds_to_add: 2 }, key: 'k1' },
    { url: 'https://api.example/v1/videos/x/variations', body: { n: 2 }, key: 'k2' },
  ]);
});
