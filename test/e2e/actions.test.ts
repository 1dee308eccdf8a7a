import { randomUUID } from 'node:crypto';
import { ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';
import { fileOf } from '../support/videos.ts';

let api: Endpoint;
beforeAll(async () => {
  api = await openEndpoint();
});
afterAll(() => api?.close());

const submit = async (prompt: string, headers: Record<string, string> = {}, given: object = {}): Promise<string> => {
  const { status, body } = await api.post('/videos', aRequest(prompt, given), headers);
  expect([200, 202]).toContain(status);
  return String(body.id);
};
const act = (id: string, action: 'cancel' | 'retry', headers: Record<string, string> = {}) =>
  api.post(`/videos/${id}/${action}`, undefined, headers);
const remove = (id: string, headers: Record<string, string> = {}) =>
  api.call(`/videos/${id}`, { method: 'DELETE', headers });
const inStatus = (id: string, status: string) => api.until(id, (video) => video.status === status);
/**
 * Occupies all permits of a model, so that its next videos stay queued.
 * @returns a function that releases them
 */
async function fillQueue(given: object): Promise<() => Promise<unknown>> {
  const prompts = Array.from({ length: 4 }, (_, index) => `[[pending=3600]] A full queue ${index} ${Date.now()}`);
  const ids = await Promise.all(prompts.map((prompt) => submit(prompt, {}, given)));
  const cancel = async (id: string) => {
    // Rejected only while it is being submitted.
    while ((await act(id, 'cancel')).status !== 200) await new Promise((resolve) => setTimeout(resolve, 250));
  };
  return () => Promise.all(ids.map(cancel));
}
let running: Promise<string> | undefined;
/** Returns the id of a video that Wan makes throughout these tests. It has a model of its own, so Wan starts it immediately. */
const longRunning = (): Promise<string> => {
  const given = { model: 'wan2.2-i2v-plus', parameters: { resolution: '480P' } };
  running ??= submit(`[[pending=0]] [[seconds=3600]] A cat runs on ${Date.now()}`, {}, given).then(
    async (id) => (await inStatus(id, 'running')).id,
  );
  return running;
};
/** A model that no other test uses. */
const fullModel = { model: 'wan2.1-i2v-plus', parameters: { resolution: '720P' } };

describe.concurrent('cancel', { timeout: 180_000 }, () => {
  test('removes a queued video from its queue, free of charge', async () => {
    const release = await fillQueue(fullModel);
    const id = await submit(`A cat waits ${Date.now()}`, {}, fullModel);
    const { status, body } = await act(id, 'cancel');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'canceled', error: { code: 'canceled', billed: false } });
    expect(body.task).toBeUndefined();
    expect((await act(id, 'cancel')).status).toBe(200);
    await release();
  });

  test("stops a task that is still in Wan's queue", async () => {
    const id = await submit(`[[pending=3600]] A cat waits at Wan's ${Date.now()}`);
    await inStatus(id, 'running');
    const { status, body } = await act(id, 'cancel');
    expect({ status, body }).toMatchObject({ status: 200, body: { status: 'canceled', error: { billed: false } } });
  });

  test('rejects a running video, which will be billed', async () => {
    const id = await longRunning();
    const { status, body } = await act(id, 'cancel');
    expect(status).toBe(409);
    expect(body).toMatchObject({ code: 'video_is_running', detail: expect.stringMatching(/billed/) });
  });

  test('is rejected with Retry-After while a submission is uncertain', async () => {
    // The next attempt finds the task after 5 s. When this machine is too busy to cancel before that, another video shows it.
    for (;;) {
      const id = await submit(`[[reset]] [[seconds=1]] A cat is lost ${randomUUID()}`);
      // The first write after the start is the submission ledger's. Both times of one write differ by some milliseconds at most.
      await api.until(
        id,
        ({ status, updated_at, timeline }) =>
          status !== 'queued' &&
          (status !== 'submitting' || Date.parse(updated_at) - Date.parse(timeline.at(-1)!.at) > 200),
      );
      const { status, headers, body } = await act(id, 'cancel');
      const video = await api.finished(id);
      if (video.status === 'canceled' || (status === 409 && body.code !== 'video_is_starting')) continue;
      expect({ status, code: body.code }).toEqual({ status: 409, code: 'video_is_starting' });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(video.status).toBe('succeeded');
      expect(await act(id, 'cancel')).toMatchObject({ status: 409, body: { code: 'video_has_ended' } });
      return;
    }
  });

  test('comes too late for a video that is being archived', async () => {
    // Its downloads are repeated for 35 s.
    const id = await submit(`[[drop=3]] A cat is archived ${Date.now()}`);
    await inStatus(id, 'archiving');
    for (const response of [await act(id, 'cancel'), await remove(id)])
      expect(response).toMatchObject({ status: 409, body: { code: 'video_is_archiving' } });
    expect((await api.finished(id)).status).toBe('succeeded');
  });
});

describe.concurrent('retry', () => {
  test('starts another task for a failed video', async () => {
    const id = await submit(`[[http=400:DataInspectionFailed*1]] Second time lucky ${Date.now()}`);
    expect(await api.finished(id)).toMatchObject({ status: 'failed', error: { code: 'content_refused' } });
    const { status, body } = await act(id, 'retry');
    expect({ status, id: body.id }).toEqual({ status: 202, id });
    expect(body.error).toBeUndefined();
    const video = await api.finished(id);
    expect(video).toMatchObject({ status: 'succeeded', task: { attempts: 2 } });
    expect(video.timeline.map((entry) => entry.status).filter((entry) => entry === 'failed')).toHaveLength(1);
    expect(await act(id, 'retry')).toMatchObject({ status: 409, body: { code: 'video_has_succeeded' } });
  });

  test('restarts a canceled video', async () => {
    const turbo = { model: 'wan2.1-i2v-turbo' };
    const release = await fillQueue(turbo);
    const id = await submit(`A cat comes back ${Date.now()}`, {}, turbo);
    expect((await act(id, 'cancel')).status).toBe(200);
    expect((await act(id, 'retry')).status).toBe(202);
    await release();
    expect(await api.finished(id)).toMatchObject({ status: 'succeeded', task: { attempts: 1 } });
  });

  test('changes nothing for an open video', async () => {
    const id = await longRunning();
    const { headers } = await api.call(`/videos/${id}`);
    const { status, body } = await act(id, 'retry');
    expect({ status, id: body.id }).toEqual({ status: 202, id });
    const after = await api.call(`/videos/${id}`);
    expect(after).toMatchObject({ body: { status: 'running', task: { attempts: 1 } } });
    expect(after.headers.get('etag')).toBe(headers.get('etag'));
  });

  test('rejects a drop with an invalid image', async () => {
    const key = `drop/tiny-${Date.now()}.png`;
    await api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key: key, Body: png(10, 10) }));
    const dropped = await api.droppedFrom(key);
    const retried = await act(dropped.id, 'retry', { authorization: `Bearer ${api.drop_api_key}` });
    expect(retried).toMatchObject({ status: 409, body: { code: 'video_not_retryable' } });
  });

  test('with If-Match affects only the version that its caller has read', async () => {
    const id = await submit(`[[fail=InternalError]] Seen ${Date.now()}`);
    await api.finished(id);
    const stale = await act(id, 'retry', { 'if-match': '"of another time"' });
    expect(stale).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    const etag = (await api.call(`/videos/${id}`)).headers.get('etag')!;
    expect((await act(id, 'retry', { 'if-match': etag })).status).toBe(202);
    // The retry changed the video, so the same precondition rejects a second one.
    expect((await act(id, 'retry', { 'if-match': etag })).status).toBe(412);
    await api.finished(id);
  });
});

describe.concurrent('delete', () => {
  test('removes the video and every version of its objects', async () => {
    const id = await submit(`A cat leaves ${Date.now()}`);
    const { video, input } = await api.finished(id);
    const image = fileOf({ input });
    expect((await remove(id)).status).toBe(204);
    for (const [bucket, prefix] of [
      [video!.bucket, `${id}/`],
      [image!.bucket, `inputs/${id}/`],
    ] as const) {
      const { Versions = [], DeleteMarkers = [] } = await api.s3.send(
        new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }),
      );
      expect([...Versions, ...DeleteMarkers]).toEqual([]);
    }
    for (const route of [`/videos/${id}`, `/videos/${id}/content`]) expect((await api.call(route)).status).toBe(404);
    const { body } = await api.call('/videos?limit=100');
    expect((body.data as VideoView[]).map((listed) => listed.id)).not.toContain(id);
    expect((await remove(id)).status).toBe(204);
  });

  test('leaves a tombstone: a late duplicate of the request makes and pays nothing', async () => {
    const key = `deleted-${Date.now()}`;
    const prompt = `[[fail=InternalError]] Deleted ${key}`;
    const id = await submit(prompt, { 'idempotency-key': key });
    await api.finished(id);
    await remove(id);
    const { status, body } = await api.post('/videos', aRequest(prompt), { 'idempotency-key': key });
    expect({ status, code: body.code }).toEqual({ status: 410, code: 'video_deleted' });
  });

  test('cancels a queued video', async () => {
    const release = await fillQueue(fullModel);
    const id = await submit(`A cat never was ${Date.now()}`, {}, fullModel);
    expect((await remove(id)).status).toBe(204);
    expect((await api.call(`/videos/${id}`)).status).toBe(404);
    await release();
  });

  test('rejects a running video', async () => {
    expect(await remove(await longRunning())).toMatchObject({ status: 409, body: { code: 'video_is_running' } });
  });
});
