import { randomUUID } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VideoView } from '../../functions/video/view.ts';
import { type Endpoint, openEndpoint, openLocal } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

const image = png(480, 480);
/** Every model refuses it: its drop ends immediately. */
const tiny = png(10, 10);
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** A folder of its own in the drop folder, and what shows there. */
function folderOf(api: Endpoint, folder: string, key = api.drop_api_key) {
  const Bucket = api.uploads_bucket;
  const at = (name: string) => `${folder}/${name}`;
  const videosOf = async (name: string): Promise<VideoView[]> => {
    const { body } = await api.call('/videos?limit=100', { headers: { authorization: `Bearer ${key}` } });
    return (body.data as VideoView[]).filter(({ source }) => source.type === 'drop' && source.key === at(name));
  };
  const until = async <Found>(look: () => Promise<Found | undefined>): Promise<Found> => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      await pause(0.25);
    }
  };
  const read = async (name: string): Promise<string | undefined> => {
    try {
      const { Body } = await api.s3.send(new GetObjectCommand({ Bucket, Key: at(name) }));
      return await Body!.transformToString();
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
      throw error;
    }
  };
  const jsonOf = (name: string, isIt: (result: Result) => boolean = () => true) =>
    until(async () => {
      const text = await read(name);
      const result = text === undefined ? undefined : (JSON.parse(text) as Result);
      return result && isIt(result) ? result : undefined;
    });
  return {
    at,
    videosOf,
    put: async (name: string, body: Uint8Array | string | object, Metadata: Record<string, string> = {}) => {
      const Body =
        typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body as Uint8Array) : JSON.stringify(body);
      await api.s3.send(new PutObjectCommand({ Bucket, Key: at(name), Body, Metadata }));
    },
    /** The first video of an image, once it is listed. */
    videoOf: (name: string) => until(async () => (await videosOf(name)).at(-1)),
    /** The result next to an image, once it exists and is the expected one. */
    resultOf: (name: string, isIt?: (result: Result) => boolean) => jsonOf(`${name}.result.json`, isIt),
    jsonOf,
    read,
    head: (name: string) => api.s3.send(new HeadObjectCommand({ Bucket, Key: at(name) })),
  };
}

interface Result extends Record<string, unknown> {
  id: string;
  status: string;
  image: { key: string; version_id: string };
  manifest: { key: string; version_id: string };
  video?: { bucket: string; key: string; copy?: { bucket: string; key: string } };
  error?: { code: string; hint: string };
}

describe.concurrent('images in the drop folder', { timeout: 180_000 }, () => {
  let api: Endpoint;
  let folder: ReturnType<typeof folderOf>;
  beforeAll(async () => {
    api = await openEndpoint();
    folder = folderOf(api, `drop/e2e-${randomUUID()}`);
  });
  afterAll(() => api?.close());

  test('take each value of their settings from the strongest level that has it, and name the level in their result', async () => {
    const settings = {
      input: { prompt: 'lost', negative_prompt: 'from defaults' },
      parameters: { resolution: '480P' },
    };
    await folder.put('merged/_defaults.json', { ...settings, metadata: { project: 'spring' } });
    await folder.put('merged/cat.png.json', { input: { prompt: 'from the sidecar' }, parameters: { seed: 7 } });
    await folder.put('merged/cat.png', image, { prompt: 'lost', seed: '1', watermark: 'true' });
    const result = await folder.resultOf('merged/cat.png');
    const settingsOf = {
      '/model': 'deployment',
      '/input/prompt': 'sidecar',
      '/input/negative_prompt': 'defaults',
      '/parameters/seed': 'sidecar',
      '/parameters/watermark': 'metadata',
      '/parameters/resolution': 'defaults',
      '/metadata/project': 'defaults',
    };
    const video = await folder.videoOf('merged/cat.png');
    expect(video).toMatchObject({
      status: 'succeeded',
      input: { prompt: 'from the sidecar', negative_prompt: 'from defaults' },
      parameters: { resolution: '480P', seed: 7, watermark: true },
      metadata: { project: 'spring' },
      source: { settings: settingsOf, defaults_key: folder.at('merged/_defaults.json') },
    });
    expect(result).toMatchObject({
      id: video.id,
      status: 'succeeded',
      image: { key: folder.at('merged/cat.png') },
      video: { bucket: expect.any(String), key: expect.stringMatching(/\.mp4$/) },
      settings: settingsOf,
    });
    expect(JSON.stringify(result)).not.toMatch(/https?:|X-Amz/);
  });

  test('without a prompt of their own are accepted immediately when their sidecar arrives, seconds later', async () => {
    await folder.put('late.png', image);
    await pause(3);
    expect(await folder.videosOf('late.png')).toEqual([]);
    await folder.put('late.png.json', { input: { prompt: 'It came late' } });
    const video = await folder.videoOf('late.png');
    expect(video).toMatchObject({ input: { prompt: 'It came late' } });
    await folder.put('late.png.json', { input: { prompt: 'It came too late' } });
    await folder.resultOf('late.png');
    expect(await folder.videosOf('late.png')).toMatchObject([{ id: video.id, input: { prompt: 'It came late' } }]);
  });

  test('and without a sidecar are accepted after their wait', async () => {
    const before = Date.now();
    await folder.put('alone.png', image, { resolution: '480P' });
    const video = await folder.videoOf('alone.png');
    expect(Date.parse(video.created_at) - before).toBeGreaterThan(9_000);
    expect(video).toMatchObject({ source: { settings: { '/input/prompt': 'deployment' } } });
  });

  test('wait without a limit in a folder that requires sidecars', async () => {
    await folder.put('strict/_defaults.json', { sidecar: 'required', parameters: { resolution: '480P' } });
    await folder.put('strict/deep/cat.png', image, { prompt: 'own' });
    await pause(13);
    expect(await folder.videosOf('strict/deep/cat.png')).toEqual([]);
    await folder.put('strict/deep/cat.png.json', {});
    expect(await folder.videoOf('strict/deep/cat.png')).toMatchObject({
      input: { prompt: 'own' },
      parameters: { resolution: '480P' },
    });
  });

  test.each([
    'two words & more.png',
    'a+b.png',
    '100%25 %2F %.png',
    'e\u0301-decomposed.png',
    '\u00e9-composed.png',
    '猫/🐈‍⬛/кошка.png',
    'a/b/c/d/e/f/g/h/i/j/UPPER.PNG',
    '//twice//a.jpeg',
    'photo.jfif',
    'photo.DIB ',
    'quo\'te"<x>.webp',
  ])('can be named %s, and have their result next to them', async (name) => {
    await folder.put(name, tiny);
    expect(await folder.resultOf(name)).toMatchObject({
      status: 'failed',
      image: { key: folder.at(name) },
      error: { code: 'image_dimensions', hint: expect.stringContaining('upload the image again') },
    });
  });

  test('can be named .JPG and be PNGs, with a prompt in any language', async () => {
    const prompt = '猫が草の上を走る — Кошка бежит';
    const encoded = `=?UTF-8?B?${Buffer.from(prompt).toString('base64')}?=`;
    await folder.put('IMG_0001.JPG', image, { prompt: encoded, resolution: '480P' });
    expect(await folder.resultOf('IMG_0001.JPG')).toMatchObject({ status: 'succeeded' });
    expect(await folder.videoOf('IMG_0001.JPG')).toMatchObject({
      input: { prompt, media: [{ file: { content_type: 'image/png' } }] },
    });
  });

  test('are one video when the same bytes and settings are uploaded again, and the result names the latest upload', async () => {
    const settings = { prompt: 'own', resolution: '480P' };
    await folder.put('once.png', image, settings);
    const first = await folder.resultOf('once.png');
    expect(first).toMatchObject({ status: 'succeeded' });
    await folder.put('once.png', image, settings);
    const second = await folder.resultOf('once.png', ({ image }) => image.version_id !== first.image.version_id);
    expect(second).toMatchObject({ id: first.id, status: 'succeeded' });
    const ids = new Set([first.id]);
    for (const [name, body, metadata] of [
      ['once.png', png(500, 500), settings],
      ['once.png', image, { ...settings, take: '2' }],
      ['copy of once.png', image, settings],
    ] as const) {
      await folder.put(name, body, metadata);
      ids.add((await folder.resultOf(name, ({ id }) => !ids.has(id))).id);
    }
    expect(ids.size).toBe(4);
    expect(await folder.videosOf('once.png')).toHaveLength(3);
  });

  test('of a format that Wan does not accept get a result with what to do', async () => {
    await folder.put('party.gif', 'GIF89a');
    expect(await folder.resultOf('party.gif')).toMatchObject({
      status: 'failed',
      error: { code: 'unsupported_image_type', message: expect.stringContaining('Convert it') },
    });
  });

  test('with a broken sidecar get a result that names it', async () => {
    await folder.put('broken.png.json', '{"input": ');
    await folder.put('broken.png', image, { prompt: 'own' });
    expect(await folder.resultOf('broken.png')).toMatchObject({
      status: 'failed',
      error: { code: 'invalid_json', message: expect.stringContaining(folder.at('broken.png.json')) },
    });
  });

  test('are stopped by settings that are nearly right, with what to rename', async () => {
    const sidecar = { input: { prompt: 'from the sidecar' }, parameters: { resolution: '480P' } };
    await folder.put('near/a.json', sidecar);
    await folder.put('near/a.png', image, { prompt: 'own' });
    await folder.put('near/below/_Defaults.json', sidecar);
    await folder.put('near/below/b.png', image, { prompt: 'own' });
    await folder.put('near/c.png', image, { promt: 'The cat wakes up' });
    expect(await folder.resultOf('near/a.png')).toMatchObject({
      status: 'failed',
      error: { code: 'settings_misnamed', message: expect.stringContaining('"a.png.json"') },
    });
    expect(await folder.resultOf('near/below/b.png')).toMatchObject({
      status: 'failed',
      error: { code: 'settings_misnamed', message: expect.stringContaining('"_defaults.json"') },
    });
    expect(await folder.resultOf('near/c.png')).toMatchObject({
      status: 'failed',
      error: { code: 'metadata_misspelt' },
    });

    await folder.put('near/a.png.json', sidecar);
    const isMade = ({ status }: Result) => status === 'succeeded';
    expect(await folder.resultOf('near/a.png', isMade)).toMatchObject({ input: { prompt: 'from the sidecar' } });
  });

  test('whose sidecar is written in two steps become the video of the whole file', async () => {
    await folder.put('half.png.json', '{"input": {"prompt": "wr');
    await folder.put('half.png', image, { prompt: 'own' });
    await pause(1.5);
    await folder.put('half.png.json', {
      input: { prompt: 'written in two steps' },
      parameters: { resolution: '480P' },
    });
    expect(await folder.resultOf('half.png')).toMatchObject({
      status: 'succeeded',
      input: { prompt: 'written in two steps' },
    });
    expect(await folder.videosOf('half.png')).toHaveLength(1);
  });

  test('without an ending are images by their bytes, and a percent-encoded prompt is decoded', async () => {
    await folder.put('no ending', image, { prompt: encodeURIComponent('猫が走る'), resolution: '480P' });
    expect(await folder.resultOf('no ending')).toMatchObject({
      status: 'succeeded',
      input: { prompt: '猫が走る' },
      settings: { '/input/prompt': 'metadata' },
    });
  });

  test('are the only files that become videos: other files, folders and results do not', async () => {
    const names = [
      ...[
        'notes.txt',
        'README',
        'sub.png/',
        'x.png.result.json',
        'x.png.mp4',
        '_defaults.json',
        '_done/manifest.jsonl',
      ],
      ...['._x.png', '@eaDir/x.jpg/THUMB_M.jpg', '#recycle/x.png', '$RECYCLE.BIN/x.png', '~x.png', '__MACOSX/x.png'],
      ...['lost+found/x.png', 'Thumbs/x.png', '_done/x.png', '.thumbnails/x.jpg'],
    ];
    const content = (name: string) => (name === '_defaults.json' ? '{}' : /\.(png|jpg)$/.test(name) ? image : 'text');
    for (const name of names) await folder.put(`others/${name}`, content(name), { prompt: 'own' });
    // A drop that ends after them: events are seen to in about the order in which they come.
    await folder.put('others/last.png', tiny);
    await folder.resultOf('others/last.png');
    await pause(1);
    for (const name of names) {
      expect(await folder.videosOf(`others/${name}`)).toEqual([]);
      expect(await folder.read(`others/${name}.result.json`)).toBeUndefined();
    }
  });

  test('can be requested line by line in a manifest, in which a bad line spoils only itself', async () => {
    await folder.put('batch/_images/cat.png', image);
    const line = (img_url: string, model = 'wan2.2-i2v-flash') =>
      JSON.stringify({ model, input: { prompt: 'A cat runs', img_url }, parameters: { resolution: '480P' } });
    const lines = [line('_images/cat.png'), '{"model": ', line('_images/none.png'), line('_images/cat.png', 'wan9')];
    await folder.put('batch/manifest.jsonl', lines.join('\n'));
    const summary = (version?: string) =>
      folder.jsonOf('batch/manifest.jsonl.results/summary.json', ({ manifest }) => manifest.version_id !== version);
    const first = await summary();
    expect(first).toMatchObject({ lines: 4, succeeded: 1, refused: 3, cost: { currency: 'USD' } });
    const resultOf = (line: number) => folder.jsonOf(`batch/manifest.jsonl.results/00000${line}.json`);
    const made = await resultOf(1);
    expect(made).toMatchObject({
      line: 1,
      status: 'succeeded',
      input: { prompt: 'A cat runs' },
      settings: { '/input/prompt': 'line', '/parameters/resolution': 'line' },
      video: { key: expect.stringMatching(/\.mp4$/) },
    });
    const codes = ['invalid_json', 'image_not_found', 'unknown_model'];
    for (const [index, code] of codes.entries())
      expect(await resultOf(index + 2)).toMatchObject({ line: index + 2, status: 'refused', error: { code } });
    expect(await folder.videosOf('batch/_images/cat.png')).toEqual([]);

    // A line that has not changed keeps its video, in whichever line it is now.
    await folder.put('batch/manifest.jsonl', ['{}', lines[0]].join('\n'));
    const second = await summary(first.manifest.version_id);
    expect(second).toMatchObject({ lines: 2, succeeded: 1, refused: 1, cost: first.cost });
    expect(await resultOf(2)).toMatchObject({ id: made.id, status: 'succeeded' });
  }, 120_000);
});

// The drop settings of a shared deployment cannot be changed.
describe.runIf(!process.env.E2E_BASE_URL)('with other settings of the deployment', { timeout: 180_000 }, () => {
  let local: Awaited<ReturnType<typeof openLocal>>;
  /** By the copy's key: what happens before a video is copied, and whether the copy is refused. */
  const beforeCopy = new Map<string, (source: URL) => Promise<'copied' | 'refused'>>();
  beforeAll(async () => {
    const drop = { owner: 'local', owners: 'folders', sidecarSeconds: 0, copyVideo: true };
    local = await openLocal(
      { drop },
      {
        wrapEndpoint: (serve) => async (request, response) => {
          const source = request.headers['x-amz-copy-source'];
          const before = beforeCopy.get(decodeURIComponent(request.url!).replace(/^.*?(drop\/.*\.mp4).*/, '$1'));
          const outcome = source && (await before?.(new URL(String(source), 'http://source')));
          if (outcome === 'refused') response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
          else await serve(request, response);
        },
      },
    );
  });
  afterAll(() => local?.endpoint.close());

  test('an image is accepted immediately, belongs to the owner of its folder, and has its video next to it', async () => {
    const { endpoint: api } = local;
    const folder = folderOf(api, `drop/owner-${api.api_key}/deep`, api.api_key);
    await folder.put('a b+c.png', image, { resolution: '480P' });
    const result = await folder.resultOf('a b+c.png');
    expect(result).toMatchObject({ status: 'succeeded', video: { copy: { key: folder.at('a b+c.png.mp4') } } });
    const [video] = await folder.videosOf('a b+c.png');
    expect(video).toMatchObject({ id: result.id, status: 'succeeded' });
    const copy = await folder.head('a b+c.png.mp4');
    expect({ bytes: copy.ContentLength, type: copy.ContentType }).toEqual({
      bytes: video!.video!.bytes,
      type: 'video/mp4',
    });
    const other = { headers: { authorization: `Bearer ${api.other_api_key}` } };
    expect((await api.call(`/videos/${result.id}`, other)).status).toBe(404);
  });

  test('the result of a video that is deleted before its copy is made has no copy, by the archive or later by the sweep', async () => {
    const { endpoint: api, stack } = local;
    const folder = folderOf(api, `drop/owner-${api.api_key}/gone`, api.api_key);
    const deleteArchived = async ({ pathname, searchParams }: URL) => {
      const [, Bucket, Key] = /^\/([^/]+)\/(.*)$/.exec(decodeURIComponent(pathname))!;
      await api.s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId: searchParams.get('versionId')! }));
      return 'copied' as const;
    };
    beforeCopy.set(folder.at('archive.png.mp4'), deleteArchived);
    const refused = new Promise<void>((resolve) =>
      beforeCopy.set(folder.at('sweep.png.mp4'), async () => {
        resolve();
        return 'refused';
      }),
    );
    for (const name of ['archive.png', 'sweep.png']) await folder.put(name, image, { resolution: '480P' });
    const hasResult = async (name: string) => {
      const result = await folder.resultOf(name);
      expect(result).toMatchObject({ status: 'succeeded', video: { key: expect.stringMatching(/\.mp4$/) } });
      expect(result.video).not.toHaveProperty('copy');
    };
    await hasResult('archive.png');

    await refused;
    const [video] = await folder.videosOf('sweep.png');
    await api.finished(video!.id);
    beforeCopy.set(folder.at('sweep.png.mp4'), deleteArchived);
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const lambda = new LambdaClient({ endpoint: stack.aws_url, region: 'us-east-1', credentials });
    const sweep = new InvokeCommand({ FunctionName: 'firstframe-maintenance-sweep', Payload: '{}' });
    expect((await lambda.send(sweep)).FunctionError).toBeUndefined();
    lambda.destroy();
    await hasResult('sweep.png');
  });

  test('an image in a folder that cannot name an owner is a failed drop of the default owner', async () => {
    const folder = folderOf(local.endpoint, 'drop/Team A');
    await folder.put('cat.png', image);
    expect(await folder.resultOf('cat.png')).toMatchObject({
      status: 'failed',
      error: { code: 'folder_names_no_owner' },
    });
    expect(await folder.videosOf('cat.png')).toHaveLength(1);
  });
});
