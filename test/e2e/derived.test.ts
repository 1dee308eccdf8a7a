import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, ListObjectVersionsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { ffmpegFile } from '../functions/media/support.ts';
import { difference, frameOf, probe } from '../local/wan/support.ts';
import { type Answer, type Endpoint, openEndpoint, openLocal } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';

let api: Endpoint;
/** Succeeded videos of 5 s, of a model that continues videos and of one that does not; and one that failed. */
let source: VideoView;
let draft: VideoView;
let failed: VideoView;

const continuing = (prompt: string, given: object = {}) => ({
  model: 'wan2.7-i2v',
  input: { prompt, img_url: pngUrl(640, 360) },
  parameters: { resolution: '720P', duration: 5, seed: 7 },
  ...given,
});
const create = async (body: object, of = api): Promise<VideoView> => {
  const response = await of.post('/videos', body);
  expect(response.status).toBe(202);
  return of.finished(String(response.body.id));
};
const extend = (id: string, body: object, headers: Record<string, string> = {}, of = api) =>
  of.post(`/videos/${id}/extend`, { prompt: 'It goes on', seconds_to_add: 2, ...body }, headers);
const vary = (id: string, body: object, headers: Record<string, string> = {}, of = api) =>
  of.post(`/videos/${id}/variations`, body, headers);
const idsOf = ({ body }: Answer): string[] => (body.data as VideoView[]).map(({ id }) => id);
const contentOf = async (id: string): Promise<Buffer> => {
  const { headers } = await api.call(`/videos/${id}/content`);
  return Buffer.from(await (await fetch(headers.get('location')!)).arrayBuffer());
};

beforeAll(async () => {
  api = await openEndpoint();
  // With details, so that a movement of the camera shows.
  const pattern = await ffmpegFile('pattern.png', '-f', 'lavfi', '-i', 'testsrc=size=640x360', '-frames:v', '1');
  const img_url = `data:image/png;base64,${Buffer.from(pattern).toString('base64')}`;
  [source, draft, failed] = (await Promise.all([
    create(continuing('A boat sets sail', { input: { prompt: 'A boat sets sail', img_url } })),
    create(aRequest('A draft of a boat', { metadata: { scene: '4' } })),
    create(aRequest('[[fail=InternalError]] A boat sinks')),
  ])) as [VideoView, VideoView, VideoView];
}, 240_000);
afterAll(() => api?.close());

describe('an extension', { timeout: 240_000 }, () => {
  let extended: VideoView;

  test('costs the seconds of its source again, and reports that before and after', async () => {
    const billed = {
      pointer: '/seconds_to_add',
      code: 'source_billed_again',
      message: expect.stringMatching(/7 s.* 5 s/),
    };
    const price = { amount: 0.7, currency: 'USD', unit_price: 0.1, seconds: 7 };
    const estimate = await extend(source.id, { dry_run: true });
    expect(estimate).toMatchObject({
      status: 200,
      body: { model: 'wan2.7-i2v', estimated_cost: price, warnings: [billed], parameters: { duration: 7 } },
    });
    expect((await api.call(`/videos?derived_from=${source.id}`)).body.data).toEqual([]);
    const before = (await api.call('/usage')).body as Record<string, number>;
    const accepted = await extend(source.id, {});
    expect(accepted).toMatchObject({
      status: 202,
      body: { derived_from: source.id, estimated_cost: price, warnings: [billed], metadata: source.metadata },
    });
    const url = new URL(accepted.headers.get('location')!, `${api.url}/videos/${source.id}/extend`);
    expect(url.href).toBe(`${api.url}/videos/${accepted.body.id}`);
    extended = await api.finished(String(accepted.body.id));
    expect(extended).toMatchObject({ status: 'succeeded', cost: price, usage: { input_video_duration: 5 } });
    const after = (await api.call('/usage')).body as Record<string, number>;
    expect(after.spent! - before.spent!).toBeCloseTo(0.7, 6);
    expect(after.reserved).toBe(0);
  });

  test('is longer and begins with the frames of its source', async () => {
    const [before, after] = await Promise.all([contentOf(source.id), contentOf(extended.id)]);
    expect(Number((await probe(before)).format.duration)).toBeCloseTo(5, 1);
    expect(Number((await probe(after)).format.duration)).toBeCloseTo(7, 1);
    for (const second of [0, 1, 2.5, 4, 4.9]) {
      const [one, other] = await Promise.all([frameOf(before, second), frameOf(after, second)]);
      expect(difference(one, other)).toBeLessThan(2);
    }
    // The camera moves, so another moment is different.
    const [start, end] = await Promise.all([frameOf(before, 0), frameOf(after, 4.9)]);
    expect(difference(start, end)).toBeGreaterThan(8);
  });

  test('can itself be extended, and is listed as derived', async () => {
    const again = await extend(extended.id, { seconds_to_add: 1 });
    expect(again).toMatchObject({ status: 202, body: { derived_from: extended.id, parameters: { duration: 8 } } });
    const list = await api.call(`/videos?derived_from=${source.id}`);
    expect(idsOf(list)).toEqual([extended.id]);
    await api.finished(String(again.body.id));
  });

  test('is one video for concurrent requests with one key, and a 409 for another body or another source', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => extend(source.id, { seconds_to_add: 1 }, headers)),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 202]);
    for (const other of [
      await extend(source.id, { seconds_to_add: 2 }, headers),
      await extend(extended.id, { seconds_to_add: 1 }, headers),
      await vary(source.id, {}, headers),
      await api.post('/videos', aRequest(), headers),
    ])
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
    await api.finished(String(answers[0]!.body.id));
  });

  test.each<[string, () => Promise<Answer>, number, object]>([
    [
      'a model that continues no video',
      () => extend(draft.id, {}),
      400,
      {
        errors: [
          {
            pointer: '/model',
            code: 'cannot_continue',
            message: expect.stringMatching(/Give wan2\.7-i2v or .*variations/),
          },
        ],
      },
    ],
    [
      'a total that the model does not offer',
      () => extend(source.id, { seconds_to_add: 11 }),
      400,
      {
        errors: [
          { pointer: '/seconds_to_add', code: 'unsupported_duration', message: expect.stringMatching(/at most 10 s/) },
        ],
      },
    ],
    [
      'a resolution that the model does not offer',
      () => extend(source.id, { parameters: { resolution: '480P' } }),
      400,
      { errors: [{ pointer: '/parameters/resolution', code: 'unsupported_resolution' }] },
    ],
    [
      'a duration next to seconds_to_add',
      () => extend(source.id, { parameters: { duration: 9 } }),
      400,
      { errors: [{ pointer: '/parameters/duration', code: 'given_twice' }] },
    ],
    [
      'several mistakes',
      () => extend(source.id, { prompt: undefined, seconds_to_add: 0, colour: 'red' }),
      400,
      {
        errors: [
          { pointer: '/prompt', code: 'missing' },
          { pointer: '/seconds_to_add', code: 'out_of_range' },
          { pointer: '/colour', code: 'unknown_field' },
        ],
      },
    ],
    ['a blank prompt', () => extend(source.id, { prompt: ' ' }), 400, { errors: [{ pointer: '/prompt' }] }],
    ['no object', () => api.post(`/videos/${source.id}/extend`, '[]'), 400, { code: 'invalid_request' }],
    ['a source that failed', () => extend(failed.id, { model: 'wan2.7-i2v' }), 409, { code: 'source_has_no_video' }],
    ['an unknown source', () => extend(randomUUID(), {}), 404, { code: 'video_not_found' }],
    ['no id', () => extend('nothing', {}), 404, { code: 'video_not_found' }],
  ])('is refused for %s', async (_, send, status, body) => {
    expect(await send()).toMatchObject({ status, body });
  });

  test('survives the deletion of its source between acceptance and submission', async () => {
    const short = await create(continuing('A short trip', { parameters: { resolution: '720P', duration: 2 } }));
    const headers = { 'idempotency-key': randomUUID() };
    // Wan throttles the first attempts, so the source is gone when the task is created.
    const prompt = '[[http=429:Throttling*2]] It goes on';
    const accepted = await extend(short.id, { prompt, seconds_to_add: 1 }, headers);
    expect((await api.call(`/videos/${short.id}`, { method: 'DELETE' })).status).toBe(204);
    const video = await api.finished(String(accepted.body.id));
    expect(video).toMatchObject({ status: 'succeeded', derived_from: short.id, video: { duration_seconds: 3 } });
    expect(video.task!.attempts).toBeGreaterThan(1);
    expect(await extend(short.id, { prompt, seconds_to_add: 1 }, headers)).toMatchObject({
      status: 200,
      body: { id: video.id },
    });
    expect(await extend(short.id, {})).toMatchObject({ status: 404 });
    expect(idsOf(await api.call(`/videos?derived_from=${short.id}`))).toEqual([video.id]);
  });

  test('is a 410 when the archived file is gone, and creates nothing', async () => {
    const lost = await create(continuing('A lost trip', { parameters: { resolution: '720P', duration: 2 } }));
    const { bucket: Bucket, key: Key, version_id: VersionId } = lost.video!;
    await api.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
    expect(await extend(lost.id, {})).toMatchObject({ status: 410, body: { code: 'source_gone' } });
    expect((await api.call(`/videos?derived_from=${lost.id}`)).body.data).toEqual([]);
  });
});

describe('variations', { timeout: 240_000 }, () => {
  test('make the final video of a draft with the same inputs', async () => {
    const accepted = await vary(draft.id, { model: 'wan2.6-i2v', resolution: '1080P' });
    expect(accepted).toMatchObject({
      status: 202,
      body: {
        data: [
          {
            derived_from: draft.id,
            model: 'wan2.6-i2v',
            input: { prompt: 'A draft of a boat' },
            parameters: { resolution: '1080P', duration: 5 },
            metadata: { scene: '4' },
            estimated_cost: { amount: 0.75 },
          },
        ],
      },
    });
    expect(await api.finished(idsOf(accepted)[0]!)).toMatchObject({ status: 'succeeded', usage: { SR: 1080 } });
  });

  test('are as many videos as requested for one key, each with its own seed and copy of the inputs', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const send = () => vary(draft.id, { n: 3, seed: 2_147_483_646, prompt: 'Another draft' }, headers);
    const [one, other] = await Promise.all([send(), send()]);
    expect(idsOf(one!)).toHaveLength(3);
    expect(idsOf(other!).toSorted()).toEqual(idsOf(one!).toSorted());
    expect([one!.status, other!.status].toSorted()[1]).toBe(202);
    const videos = await Promise.all(idsOf(one!).map(api.finished));
    expect(videos.map(({ parameters }) => parameters.seed)).toEqual([2_147_483_646, 2_147_483_647, 0]);
    for (const { id, status, input } of videos) {
      expect({ status, prompt: input.prompt }).toEqual({ status: 'succeeded', prompt: 'Another draft' });
      expect(input.media[0]!.file!.key).toMatch(new RegExp(`^inputs/${id}/`));
    }
    expect(await send()).toMatchObject({ status: 200 });
  });

  test('are possible of a failed video, and survive the deletion of it', async () => {
    const lost = await create(aRequest('[[fail=InternalError]] A boat sinks'));
    const accepted = await vary(lost.id, { prompt: 'A boat floats' });
    expect((await api.call(`/videos/${lost.id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await api.finished(idsOf(accepted)[0]!)).toMatchObject({ status: 'succeeded', derived_from: lost.id });
  });

  test.each<[string, () => Promise<Answer>, number, object]>([
    [
      'a model that does not offer the duration of the source',
      () => vary(source.id, { model: 'wan2.2-i2v-plus', parameters: { duration: 15 } }),
      400,
      { errors: [{ pointer: '/parameters/resolution' }, { pointer: '/parameters/duration' }] },
    ],
    [
      'an unknown model',
      () => vary(draft.id, { model: 'wan9' }),
      400,
      { errors: [{ pointer: '/model', code: 'unknown_model' }] },
    ],
    [
      'a resolution at its own place',
      () => vary(draft.id, { resolution: '4K' }),
      400,
      { errors: [{ pointer: '/resolution' }] },
    ],
    [
      'an image that the model does not accept',
      async () => {
        const small = await create(
          continuing('A small boat', {
            input: { prompt: 'x', img_url: pngUrl(300, 300) },
            parameters: { resolution: '720P', duration: 2 },
          }),
        );
        return vary(small.id, { model: 'wan2.6-i2v', parameters: { duration: 5 } });
      },
      400,
      { errors: [{ pointer: '/model', message: expect.stringMatching(/variations, with the model .*wan2\.7/) }] },
    ],
    ['more than four', () => vary(draft.id, { n: 5 }), 400, { errors: [{ pointer: '/n', code: 'out_of_range' }] }],
    [
      'a seed given twice',
      () => vary(draft.id, { seed: 1, parameters: { seed: 2 } }),
      400,
      { errors: [{ pointer: '/parameters/seed', code: 'given_twice' }] },
    ],
    ['an unknown source', () => vary(randomUUID(), {}), 404, { code: 'video_not_found' }],
  ])('are refused for %s', async (_, send, status, body) => {
    expect(await send()).toMatchObject({ status, body });
  });

  test('are a 410 when an input is gone', async () => {
    const lost = await create(aRequest('An input is lost'));
    const list = await api.s3.send(
      new ListObjectVersionsCommand({ Bucket: api.uploads_bucket, Prefix: `inputs/${lost.id}/` }),
    );
    for (const { Key, VersionId } of list.Versions ?? [])
      await api.s3.send(new DeleteObjectCommand({ Bucket: api.uploads_bucket, Key, VersionId }));
    expect(await vary(lost.id, { prompt: 'Again' })).toMatchObject({ status: 410, body: { code: 'source_gone' } });
  });
});

test('a drop with "extends" in its sidecar continues a video of its owner and ends with its image', {
  timeout: 240_000,
}, async () => {
  const headers = { authorization: `Bearer ${api.drop_api_key}` };
  const { body } = await api.post(
    '/videos',
    continuing('A boat returns', { parameters: { resolution: '720P', duration: 2 } }),
    headers,
  );
  const drops = { ...api, call: (route: string) => api.call(route, { headers }) };
  const finished = async (id: string): Promise<VideoView> => {
    for (;;) {
      const video = (await drops.call(`/videos/${id}`)).body as unknown as VideoView;
      if (['succeeded', 'failed', 'canceled'].includes(video.status)) return video;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
  const before = await finished(String(body.id));
  const folder = `drop/extended-${randomUUID()}`;
  const put = (name: string, content: Uint8Array | string) =>
    api.s3.send(new PutObjectCommand({ Bucket: api.uploads_bucket, Key: `${folder}/${name}`, Body: content }));
  const sidecar = (id: string) =>
    JSON.stringify({ extends: id, seconds_to_add: 2, input: { prompt: 'The boat is home' } });
  await put('end.png.json', sidecar(before.id));
  await put('end.png', png(640, 360));
  // A video of another owner, and one that does not exist.
  await put('foreign.png.json', sidecar(source.id));
  await put('foreign.png', png(640, 360));
  await put('unknown.png.json', sidecar(randomUUID()));
  await put('unknown.png', png(640, 360));
  const found = await api.droppedFrom(`${folder}/end.png`);
  expect((await api.call(`/videos/${before.id}`, { method: 'DELETE', headers })).status).toBe(204);
  const video = await finished(found.id);
  expect(video).toMatchObject({
    status: 'succeeded',
    derived_from: before.id,
    model: 'wan2.7-i2v',
    parameters: { resolution: '720P', duration: 4 },
    cost: { seconds: 4 },
    warnings: [{ code: 'source_billed_again' }],
    input: { media: [{ type: 'last_frame' }, { type: 'first_clip' }] },
    source: { type: 'drop' },
  });
  const refused = await Promise.all(
    ['foreign', 'unknown'].map(async (name) => finished((await api.droppedFrom(`${folder}/${name}.png`)).id)),
  );
  for (const { status, error } of refused)
    expect({ status, error }).toMatchObject({ status: 'failed', error: { code: 'video_not_found', billed: false } });
  expect(refused[0]!.error!.message.replace('foreign', 'unknown')).toBe(refused[1]!.error!.message);
});

test("responds to another owner's video as to an unknown one", async () => {
  const headers = { authorization: `Bearer ${api.other_api_key}` };
  const comparable = ({ status, body }: Answer) => ({ status, ...body, request_id: undefined });
  for (const send of [extend, vary]) {
    const foreign = await send(source.id, {}, headers);
    expect(comparable(foreign)).toEqual(comparable(await send(randomUUID(), {}, headers)));
    expect(foreign.status).toBe(404);
  }
  const { body } = await api.call(`/videos?derived_from=${source.id}`, { headers });
  expect(body.data).toEqual([]);
});

test('all variations of a request must fit into the spending limit before the first is created', {
  timeout: 240_000,
}, async () => {
  const { endpoint, stack } = await openLocal({ monthlySpendingLimit: 1 });
  try {
    const first = await create(aRequest('A cat'), endpoint);
    expect(await vary(first.id, { n: 4 }, {}, endpoint)).toMatchObject({
      status: 403,
      body: { code: 'spending_limit_reached' },
    });
    expect((await endpoint.call(`/videos?derived_from=${first.id}`)).body.data).toEqual([]);
    const three = await vary(first.id, { n: 3 }, {}, endpoint);
    expect(three.status).toBe(202);
    await Promise.all(idsOf(three).map(endpoint.finished));
    expect(await vary(first.id, {}, {}, endpoint)).toMatchObject({ status: 403 });
    // The price of an extension is that of the whole video.
    expect(await extend(first.id, { model: 'wan2.7-i2v', seconds_to_add: 5 }, {}, endpoint)).toMatchObject({
      status: 403,
    });
  } finally {
    await endpoint.close();
    void stack;
  }
});
