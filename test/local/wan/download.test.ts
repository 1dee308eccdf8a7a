import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bodyFor, wanForTest } from './support.ts';

async function finishedVideo() {
  const wan = await wanForTest();
  const parameters = { resolution: '480P', duration: 3 };
  const taskId = await wan.client.create(bodyFor('wan2.1-i2v-turbo', { parameters }));
  wan.clock.advance(6);
  const url: string = (await wan.client.query(taskId)).body.output.video_url;
  return { ...wan, taskId, url };
}

test('a result URL has the shape of the real ones and is the same in each query', async () => {
  const { client, taskId, url } = await finishedVideo();
  expect(new URL(url).pathname).toMatch(new RegExp(`/1d/[0-9a-f]{2}/20250925/[0-9a-f]{8}/${taskId}\\.mp4$`));
  expect((await client.query(taskId)).body.output.video_url).toBe(url);
});

test('GET, HEAD and ranges return the same file', async () => {
  const { url } = await finishedVideo();
  const whole = await fetch(url);
  const content = Buffer.from(await whole.arrayBuffer());
  expect(whole.status).toBe(200);
  const etag = `"${createHash('md5').update(content).digest('hex').toUpperCase()}"`;
  const common = { 'content-type': 'video/mp4', 'accept-ranges': 'bytes', etag };
  expect(Object.fromEntries(whole.headers)).toMatchObject({ ...common, 'content-length': String(content.length) });

  const head = await fetch(url, { method: 'HEAD' });
  expect(Object.fromEntries(head.headers)).toMatchObject({ ...common, 'content-length': String(content.length) });

  for (const [range, first, end] of [
    ['bytes=0-99', 0, 100],
    ['bytes=100-', 100, content.length],
    ['bytes=-50', content.length - 50, content.length],
    [`bytes=10-${content.length + 9}`, 10, content.length],
  ] as const) {
    const part = await fetch(url, { headers: { range } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes ${first}-${end - 1}/${content.length}`,
    ]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(content.subarray(first, end));
  }
  expect((await fetch(url, { headers: { range: `bytes=${content.length}-` } })).status).toBe(416);
  expect((await fetch(url, { headers: { range: 'lines=1-2' } })).status).toBe(200);
});

test('rejects a modified URL as OSS does', async () => {
  const { url, client, wan } = await finishedVideo();
  const later = url.replace(/Expires=\d+/, 'Expires=1999999999');
  expect(await client.send('GET', later)).toMatchObject({
    status: 403,
    body: expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
  });
  expect((await client.send('GET', url.replace(/\?.*/, ''))).status).toBe(403);
  expect((await client.send('GET', url.replace(/Expires=\d+/, 'Expires=x'))).status).toBe(403);
  expect((await client.send('DELETE', url)).status).toBe(404);
  expect(new URL(url).port).toBe(String(wan.port));
});
