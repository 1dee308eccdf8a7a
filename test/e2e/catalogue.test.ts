import { afterEach, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { run } from '../../infra/operations/catalogue.ts';
import type { LocalStack } from '../../local/stack.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';

let stack: LocalStack;
let api: Endpoint;
afterEach(() => api.close());

/** Runs `npm run catalogue` with the local table. */
async function command(...args: string[]): Promise<string> {
  const lines: string[] = [];
  const port = new URL(stack.aws_url).port;
  const status = await run(
    [...args, '--local'],
    { AWS_PORT: port },
    (line) => lines.push(line),
    (line) => lines.push(line),
  );
  expect([status, lines]).toEqual([0, [expect.any(String)]]);
  return lines.join('\n');
}

test('a model, a price and a result host are added by command while a video waits for that host', async () => {
  ({ stack, endpoint: api } = await openLocal());
  const { body: waiting } = await api.post(
    '/videos',
    aRequest('A cat at another host [[host=localhost]] [[seconds=1]]'),
  );
  await api.until(String(waiting.id), ({ status }) => status === 'archiving');

  const model = 'wan2.7-i2v-next';
  const request = aRequest('A cat of a new model [[seconds=1]]', {
    model,
    parameters: { resolution: '720P', duration: 2 },
  });
  expect((await api.post('/videos', request)).body).toMatchObject({ errors: [{ code: 'unknown_model' }] });
  await command('add', model, 'wan2.7-i2v');
  await command('price', model, 'USD', '720P=0.5', '1080P=1');
  const created = await acceptedWithin(70, request);
  const made = await api.finished(String(created.id));
  expect(made).toMatchObject({ status: 'succeeded', model, cost: { amount: 1, unit_price: 0.5, currency: 'USD' } });
  const listed = (await api.call('/models')).body.data as { name: string }[];
  expect(listed).toContainEqual(
    expect.objectContaining({ name: model, family: 'wan2.7-i2v', prices: { '720P': 0.5, '1080P': 1 } }),
  );

  expect((await api.call(`/videos/${waiting.id}`)).body.status).toBe('archiving');
  await command('host', 'add', new URL(stack.wan_url!).origin.replace('127.0.0.1', 'localhost'));
  const finished = await api.finished(String(waiting.id));
  expect(finished.status).toBe('succeeded');
  // The first download was refused.
  expect(finished.video?.key).not.toMatch(/-1\.mp4$/);
}, 300_000);

/** Posts a request until it is accepted: functions see a change of the catalogue within 60 seconds. */
async function acceptedWithin(seconds: number, request: object): Promise<VideoView> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const { status, body } = await api.post('/videos', request);
    if (status === 202) return body as unknown as VideoView;
    if (Date.now() > end) throw new Error(`Refused after ${seconds} s: ${JSON.stringify(body.errors)}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
