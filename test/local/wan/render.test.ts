import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bodyFor,
  dataUrl,
  fetchOf,
  inspect,
  loudness,
  mp3,
  png,
  probe,
  sharedWan,
  wanForTest,
  wav,
} from './support.ts';

const sizes = { '480P': [544, 720], '720P': [816, 1104], '1080P': [1232, 1648] } as const;
type Tier = keyof typeof sizes;

/** Every documented combination; `byDefault` is the tier without a `resolution`. */
const combinations: readonly [
  model: string,
  tiers: readonly Tier[],
  durations: readonly number[],
  audio: boolean,
  byDefault: Tier,
][] = [
  ['wan2.6-i2v', ['720P', '1080P'], [5, 10, 15], true, '1080P'],
  ['wan2.5-i2v-preview', ['480P', '720P', '1080P'], [5, 10], true, '1080P'],
  ['wan2.2-i2v-flash', ['480P', '720P'], [5], false, '720P'],
  ['wan2.2-i2v-plus', ['480P', '1080P'], [5], false, '1080P'],
  ['wan2.1-i2v-turbo', ['480P', '720P'], [3, 4, 5], false, '720P'],
  ['wan2.1-i2v-plus', ['720P'], [5], false, '720P'],
];

test('renders 750×1000 with the right size, duration and audio for every documented model, resolution and duration', async () => {
  const { client, clock } = await wanForTest();
  const rows = combinations.flatMap(([model, tiers, durations, audio, byDefault]) =>
    tiers.flatMap((resolution) =>
      durations.map((duration) => ({
        model,
        resolution,
        duration,
        audio,
        parameters: resolution === byDefault && duration === 5 ? {} : { resolution, duration },
      })),
    ),
  );
  expect(rows).toHaveLength(23);
  const tasks = await Promise.all(
    rows.map((row) => client.create(bodyFor(row.model, { parameters: { ...row.parameters, seed: 1 } }))),
  );
  clock.advance(6);
  await Promise.all(
    rows.map(async ({ model, resolution, duration, audio }, index) => {
      const row = `${model} ${resolution} ${duration} s`;
      const { output, usage } = await client.ended(tasks[index] ?? '');
      expect([row, output.task_status, usage.duration ?? usage.video_duration]).toEqual([row, 'SUCCEEDED', duration]);
      const { streams, format } = await probe(await client.video(tasks[index] ?? ''));
      const [width, height] = sizes[resolution];
      expect([row, Number(format.duration), streams.map(({ codec_type }) => codec_type)]).toEqual([
        row,
        duration,
        audio ? ['video', 'audio'] : ['video'],
      ]);
      expect(streams[0]).toMatchObject({
        codec_name: 'h264',
        pix_fmt: 'yuv420p',
        r_frame_rate: '30/1',
        nb_frames: String(30 * duration),
        width,
        height,
      });
      if (audio) expect([streams[1]?.codec_name, Number(streams[1]?.duration)]).toEqual(['aac', duration]);
    }),
  );
}, 180_000);

const small = { resolution: '480P', duration: 3, seed: 7 };
type More = { prompt?: string; img_url?: string };

/** Returns an MD5 per frame. */
async function frameHashes(video: Buffer): Promise<string[]> {
  const text = await inspect(video, ['-v', 'error', '-map', '0:v', '-f', 'framemd5', '-']);
  return text
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => line.split(',').at(-1)?.trim() ?? '');
}

const shared = sharedWan();

async function render(input: More = {}, parameters: object = {}, { client, clock } = shared()) {
  const taskId = await client.create(bodyFor('wan2.1-i2v-turbo', { input, parameters: { ...small, ...parameters } }));
  clock.advance(6);
  return { taskId, video: await client.video(taskId) };
}

test('frames move', async () => {
  const hashes = await frameHashes((await render()).video);
  expect(new Set(hashes).size).toBeGreaterThan(60);
});

test('renders the same frames for the same seed, image and prompt, but never the same file', async () => {
  const [one, same] = [await render(), await render({}, {}, await wanForTest())];
  expect(await frameHashes(same.video)).toEqual(await frameHashes(one.video));
  expect(same.video.equals(one.video)).toBe(false);
  expect(one.video.toString('latin1').endsWith(`free${one.taskId}`)).toBe(true);
});

test.each([
  ['seed', {}, { seed: 8 }],
  ['prompt', { prompt: 'a dog' }, {}],
  ['image', { img_url: dataUrl(png(750, 1000, { hue: 99 })) }, {}],
])('renders other frames for another %s', async (_what, input, parameters) => {
  expect((await frameHashes((await render(input, parameters)).video))[0]).not.toBe(
    (await frameHashes((await render()).video))[0],
  );
});

test('puts the watermark into the lower right corner and nowhere else', async () => {
  const [plain, marked] = [(await render()).video, (await render({}, { watermark: true })).video];
  const region = async (video: Buffer, crop: string) =>
    inspect(video, [
      '-v',
      'error',
      '-frames:v',
      '1',
      '-vf',
      crop,
      '-pix_fmt',
      'gray',
      '-f',
      'rawvideo',
      '-c:v',
      'rawvideo',
      '-',
    ]);
  const corner = 'crop=200:60:iw-200:ih-60';
  expect(await region(marked, corner)).not.toBe(await region(plain, corner));
  // Far from the watermark, the encoding is the same: the top half of the frame is bit-identical.
  const top = 'crop=iw:ih/2:0:0';
  expect(await region(marked, top)).toBe(await region(plain, top));
});

test('a multi-shot video has visible cuts, but none without prompt_extend', {
  timeout: 120_000,
}, async () => {
  const cuts = async (parameters: object) => {
    const { client, clock } = await wanForTest();
    const taskId = await client.create(
      bodyFor('wan2.6-i2v', {
        parameters: { resolution: '720P', duration: 5, shot_type: 'multi', seed: 3, ...parameters },
      }),
    );
    clock.advance(6);
    await client.ended(taskId);
    const filter = "scale=160:-2:flags=neighbor,select='gt(scene,0.2)',showinfo";
    const found = await inspect(await client.video(taskId), ['-map', '0:v', '-vf', filter, '-f', 'null', '-']);
    return found.match(/pts_time:[\d.]+/g) ?? [];
  };
  expect(await cuts({})).toEqual(['pts_time:2.5']);
  expect(await cuts({ prompt_extend: false, duration: 10 })).toEqual([]);
});

describe('the audio', () => {
  async function dubbed(audio?: Buffer): Promise<Buffer> {
    const audio_url = 'https://audio.example/tone';
    const { client, clock } = await wanForTest({ fetch: audio && fetchOf({ [audio_url]: audio }).fetch });
    const parameters = { resolution: '480P', duration: 5 };
    const taskId = await client.create(bodyFor('wan2.5-i2v-preview', { input: audio && { audio_url }, parameters }));
    clock.advance(6);
    return client.video(taskId);
  }

  test('is the file of the caller, then silence to the end', async () => {
    const video = await dubbed(wav(3));
    expect(await loudness(video, 0.5, 2)).toBeGreaterThan(-20);
    expect(await loudness(video, 3.5, 1)).toBeLessThan(-80);
    expect(Number((await probe(video)).format.duration)).toBeCloseTo(5, 2);
  });

  test('is cut to the duration of the video', async () => {
    const video = await dubbed(wav(8));
    expect(await loudness(video, 4, 0.9)).toBeGreaterThan(-20);
    expect(Number((await probe(video)).format.duration)).toBeCloseTo(5, 2);
  });

  test('may be an MP3, whose silence stays silent', async () => {
    expect(await loudness(await dubbed(mp3(4)), 1, 2)).toBeLessThan(-80);
  });

  test('is generated when the caller gives none', async () => {
    expect(await loudness(await dubbed(), 1, 3)).toBeGreaterThan(-40);
  });
});

test('renders tasks with the same recipe once', async () => {
  const { client, clock, directory } = await wanForTest();
  const body = bodyFor('wan2.1-i2v-turbo', { parameters: small });
  const tasks = await Promise.all([1, 2, 3, 4].map(() => client.create(body)));
  clock.advance(6);
  for (const status of await Promise.all(tasks.map(client.statusOf))) expect(status).toBe('SUCCEEDED');
  expect(await readdir(join(directory, 'renderings'))).toHaveLength(1);
});
