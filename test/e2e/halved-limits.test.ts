import { expect, onTestFinished, test } from 'vitest';
import { openLocal } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';

test('when Wan halves its limits, no video fails, and after a minute at most one of twenty submissions is refused', async () => {
  const { stack, endpoint: api } = await openLocal({ apiThrottle: { rate: 1000, burst: 1000 } });
  onTestFinished(() => api.close());
  const given = { model: 'wan2.2-i2v-flash', parameters: { resolution: '480P' } };
  const post = async (index: number) =>
    (await api.post('/videos', aRequest(`A cat ${index} [[seconds=0.2]] [[pending=0]]`, given))).body;
  const videos = await Promise.all(Array.from({ length: 110 }, (_, index) => post(index)));
  const submissions = () => stack.wan!.requests.filter(({ method }) => method === 'POST');
  const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  while (submissions().length < 8) await wait(0.2);
  stack.wan!.scaleLimits(0.5);
  await wait(60);
  const before = submissions().length;
  while (submissions().length < before + 20) await wait(0.2);
  const after = submissions().slice(before, before + 20);
  const records = await Promise.all(videos.map(({ id }) => api.call(`/videos/${id}`)));
  const statuses = new Set(records.map(({ body }) => body.status));
  expect(statuses).not.toContain('failed');
  const refused = after.filter((request) => request.status === 429);
  expect(refused.length).toBeLessThanOrEqual(1);
  const listed = (await api.call('/models')).body.data as { name: string; submit_slowdown?: number }[];
  expect(listed.find(({ name }) => name === given.model)?.submit_slowdown).toBeGreaterThan(1);
}, 240_000);
