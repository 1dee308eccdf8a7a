import { beforeAll, describe, expect, test } from 'vitest';
import type { WanOptions } from '../../../local/wan/server.ts';
import { clip, difference, fetchOf, frameOf, loudness, pixelsOf, png, probe, wanForTest, wav } from './support.ts';

/*
 * What the videos of wan2.6-i2v-flash, wan2.7 and wan3.0 contain, decoded, and how they are billed.
 */
const at = (name: string) => `https://files.example/${name}`;
const files: Record<string, Buffer> = {
  [at('first.png')]: png(800, 600),
  [at('last.png')]: png(800, 600, { color: [250, 40, 40] }),
  [at('green.png')]: png(640, 640, { color: [20, 200, 60] }),
  [at('blue.png')]: png(640, 360, { color: [30, 60, 220] }),
  [at('voice.wav')]: wav(3),
  [at('short.wav')]: wav(1),
};

beforeAll(async () => {
  files[at('source.mp4')] = await clip({ seconds: 3, size: '1280x720', audio: true });
  files[at('plain.mp4')] = await clip({ seconds: 2, size: '640x480', color: '0x14c83c' });
  files[at('silent.mp4')] = await clip({ seconds: 2, size: '640x480' });
  files[at('reference.mp4')] = await clip({ seconds: 1.6, size: '640x360', fps: 20, hue: 120 });
});

const media = (...entries: readonly [type: string, name: string][]) =>
  entries.map(([type, name]) => ({ type, url: at(name) }));

interface Request {
  readonly prompt?: string;
  readonly media?: readonly object[];
  readonly img_url?: string;
  readonly parameters?: object;
}

/** Makes a video and returns it with its usage. */
async function make(model: string, { parameters, ...input }: Request, options: Partial<WanOptions> = {}) {
  const { client, clock } = await wanForTest({ fetch: fetchOf(files).fetch, ...options });
  const body = { model, input: { prompt: 'a cat', ...input }, parameters: { seed: 1, ...parameters } };
  const taskId = await client.create(body);
  clock.advance(6);
  const { output, usage } = await client.ended(taskId);
  expect(output).toMatchObject({ task_status: 'SUCCEEDED' });
  const video = await client.video(taskId);
  const { streams, format } = await probe(video);
  const [stream] = streams;
  expect(stream).toMatchObject({ codec_name: 'h264', pix_fmt: 'yuv420p', r_frame_rate: '30/1' });
  return {
    video,
    usage,
    streams: streams.map(({ codec_type }) => codec_type),
    size: [stream!.width, stream!.height],
    frames: Number(stream!.nb_frames),
    seconds: Number(format.duration),
  };
}

const small = { resolution: '480P', duration: 3 };
const framesOf = media(['first_frame', 'first.png'], ['last_frame', 'last.png']);
/** Mean differences up to this are losses of scaling and encoding. */
const alike = 8;

describe('the last frame', () => {
  test.each([
    ['wan3.0-video', framesOf, { resolution: '480P', duration: 2 }],
    ['wan3.0-video', framesOf, { resolution: '480P', duration: 11 }],
    ['wan2.7-i2v', framesOf, { resolution: '720P', duration: 7 }],
    [
      'wan2.7-i2v',
      media(['first_clip', 'silent.mp4'], ['last_frame', 'last.png']),
      { resolution: '720P', duration: 3 },
    ],
  ])('ends a video of %s', async (model, media, parameters) => {
    const { video, seconds, frames } = await make(model, { media, parameters });
    expect([seconds, frames]).toEqual([parameters.duration, parameters.duration * 30]);
    const wanted = await pixelsOf(files[at('last.png')]!);
    expect(difference(await frameOf(video), wanted)).toBeLessThan(alike);
    // Not from the start: before it fades in, the video shows something else.
    expect(difference(await frameOf(video, 0.2), wanted)).toBeGreaterThan(5 * alike);
  });

  test('does not end a video without one', async () => {
    const { video } = await make('wan3.0-video', { media: media(['first_frame', 'first.png']), parameters: small });
    expect(difference(await frameOf(video), await pixelsOf(files[at('last.png')]!))).toBeGreaterThan(5 * alike);
  });
});

describe('a continuation', () => {
  test('begins with the frames of its source, at the same size, then moves on', async () => {
    const source = files[at('source.mp4')]!;
    const { video, usage, seconds, frames, size } = await make('wan2.7-i2v', {
      media: media(['first_clip', 'source.mp4']),
      parameters: { resolution: '720P', duration: 5 },
    });
    expect([seconds, frames, size]).toEqual([5, 150, [1280, 720]]);
    for (const time of [0, 0.5, 1.5, 2.9]) {
      expect(difference(await frameOf(video, time, 640), await frameOf(source, time, 640))).toBeLessThan(1.5);
    }
    const [held, later] = [await frameOf(video, 3.2), await frameOf(video, 4.5)];
    expect(difference(held, later)).toBeGreaterThan(0.5);
    expect(usage).toEqual({ duration: 5, input_video_duration: 3, output_video_duration: 2, video_count: 1, SR: 720 });
    expect(await loudness(video, 0.5, 2)).toBeGreaterThan(-20);
    expect(await loudness(video, 3.2, 1.5)).toBeGreaterThan(-40);
  });

  test('continues the last frame of its source', async () => {
    const { video } = await make('wan2.7-i2v', {
      media: media(['first_clip', 'plain.mp4']),
      parameters: { resolution: '720P', duration: 4 },
    });
    expect(difference(await frameOf(video), await frameOf(files[at('plain.mp4')]!))).toBeLessThan(alike);
  });
});

describe('references', () => {
  test('appear one after the other, images and videos', async () => {
    const { video, seconds, usage } = await make('wan3.0-video', {
      prompt: 'Image 1 meets Image 2 as in Video 1',
      media: media(
        ['reference_image', 'green.png'],
        ['reference_video', 'reference.mp4'],
        ['reference_image', 'blue.png'],
      ),
      parameters: { resolution: '480P', duration: 6 },
    });
    expect(seconds).toBe(6);
    expect(difference(await frameOf(video, 1), await pixelsOf(files[at('green.png')]!))).toBeLessThan(alike);
    expect(difference(await frameOf(video, 5), await pixelsOf(files[at('blue.png')]!))).toBeLessThan(alike);
    // The first visible medium decides the size: the video is shown in a square, without its sides.
    const shown = await frameOf(video, 2.5);
    expect(difference(shown, await pixelsOf(files[at('green.png')]!))).toBeGreaterThan(5 * alike);
    expect(difference(shown, await pixelsOf(files[at('blue.png')]!))).toBeGreaterThan(5 * alike);
    expect(usage).toEqual({
      ...{ duration: 7.6, input_video_duration: 1.6, output_video_duration: 6, video_count: 1, SR: 480 },
      ...{ fps: 30, ratio: '1:1' },
    });
  });

  test('fill a video at their own ratio, and their audio is heard', async () => {
    const reference = media(
      ['reference_video', 'reference.mp4'],
      ['reference_audio', 'short.wav'],
      ['reference_audio', 'short.wav'],
    );
    const { video, size } = await make('wan3.0-video', {
      media: reference,
      parameters: { resolution: '480P', duration: 4 },
    });
    expect(size).toEqual([848, 480]);
    // The reference has 1.6 s and is repeated.
    for (const [time, original] of [
      [0.4, 0.4],
      [2.1, 0.5],
    ] as const) {
      expect(difference(await frameOf(video, time), await frameOf(files[at('reference.mp4')]!, original))).toBeLessThan(
        alike,
      );
    }
    expect(await loudness(video, 0.2, 1.6)).toBeGreaterThan(-20);
    expect(await loudness(video, 2.5, 1)).toBeLessThan(-80);
  });
});

describe('the audio', () => {
  const voiced = media(['first_frame', 'first.png'], ['driving_audio', 'voice.wav']);
  const parameters = { resolution: '720P', duration: 5 };

  test.each(['wan2.7-i2v', 'wan2.7-i2v-2026-04-25'])('of %s is the driving audio, then silence', async (model) => {
    const { video } = await make(model, { media: voiced, parameters });
    expect(await loudness(video, 0.5, 2)).toBeGreaterThan(-20);
    expect(await loudness(video, 3.5, 1)).toBeLessThan(-80);
  });

  test('of the bare name can be generated instead', async () => {
    const facts = { wan27AliasAudio: 'ignored' } as const;
    const { video } = await make('wan2.7-i2v', { media: voiced, parameters }, { facts });
    expect(await loudness(video, 3.5, 1)).toBeGreaterThan(-40);
    const snapshot = await make('wan2.7-i2v-2026-04-25', { media: voiced, parameters }, { facts });
    expect(await loudness(snapshot.video, 3.5, 1)).toBeLessThan(-80);
  });

  test.each([
    ['wan3.0-video', { media: media(['first_frame', 'first.png']), parameters: small }],
    ['wan2.6-i2v-flash', { img_url: at('first.png'), parameters: { resolution: '720P', duration: 2 } }],
  ])('of %s is there by default, absent with audio: false', async (model, request) => {
    expect((await make(model, request)).streams).toEqual(['video', 'audio']);
    const silent = await make(model, { ...request, parameters: { ...request.parameters, audio: false } });
    expect(silent.streams).toEqual(['video']);
    if (model === 'wan2.6-i2v-flash') expect(silent.usage.audio).toBe(false);
    else expect(silent.usage).not.toHaveProperty('audio');
  });
});

describe('size and length', () => {
  test.each([
    ['16:9', '480P', [848, 480]],
    ['16:9', '720P', [1280, 720]],
    ['16:9', '1080P', [1920, 1080]],
    ['4:3', '720P', [1104, 832]],
    ['3:4', '720P', [832, 1104]],
    ['1:1', '480P', [624, 624]],
    ['9:16', '480P', [480, 848]],
  ])('ratio %s at %s is a video of %j pixels, whatever the image has', async (ratio, resolution, size) => {
    const request = { media: media(['first_frame', 'blue.png']), parameters: { resolution, ratio, duration: 2 } };
    const made = await make('wan3.0-video-prime', request);
    expect(made.size).toEqual(size);
    expect(made.usage).toMatchObject({ ratio, SR: Number.parseInt(resolution, 10), fps: 30 });
  });

  test('adaptive follows the image, and is 16:9 without one', async () => {
    const image = await make('wan3.0-video', { media: framesOf, parameters: small });
    expect([image.size, image.usage.ratio]).toEqual([[736, 544], '4:3']);
    files[at('wide.png')] = png(1200, 400);
    const wide = await make('wan3.0-video', { media: media(['first_frame', 'wide.png']), parameters: small });
    expect([wide.size, wide.usage.ratio]).toEqual([[1088, 368], 'adaptive']);
    const text = await make('wan3.0-video', { parameters: small });
    expect([text.size, text.usage.ratio, text.seconds]).toEqual([[848, 480], '16:9', 3]);
    expect(text.usage).toMatchObject({ duration: 3, input_video_duration: 0, output_video_duration: 3 });
  });

  test('duration -1 is a length by the prompt, which a directive can set', async () => {
    const parameters = { resolution: '480P', duration: -1 };
    const lengths = new Set<number>();
    for (const prompt of ['a cat', 'a dog', 'a bird']) {
      const { seconds, usage } = await make('wan3.0-video', { prompt, parameters });
      expect(usage).toMatchObject({ duration: seconds, output_video_duration: seconds });
      expect(seconds).toBeGreaterThanOrEqual(4);
      expect(seconds).toBeLessThanOrEqual(10);
      lengths.add(seconds);
    }
    expect(lengths.size).toBeGreaterThan(1);
    const directed = await make('wan3.0-video', { prompt: 'a cat [[length=2.5]]', parameters });
    expect([directed.seconds, directed.frames, directed.usage.duration]).toEqual([2.5, 75, 2.5]);
    const reference = media(['reference_video', 'reference.mp4']);
    const longest = await make('wan3.0-video', { prompt: '[[length=30]]', media: reference, parameters });
    expect([longest.seconds, longest.usage.duration]).toEqual([28, 29.6]);
  });

  test('a video of 30 s at 1080P with a last frame is rendered in seconds', async () => {
    const began = performance.now();
    const { seconds, size } = await make('wan3.0-video', {
      media: framesOf,
      parameters: { resolution: '1080P', duration: 30, ratio: '16:9', watermark: true },
    });
    expect([seconds, size]).toEqual([30, [1920, 1080]]);
    expect(performance.now() - began).toBeLessThan(60_000);
  });
});

test('a video of the request that cannot be decoded fails the task', async () => {
  const broken = Buffer.from(files[at('silent.mp4')]!);
  broken.fill(0x55, broken.indexOf('mdat') + 4, broken.indexOf('moov') - 4);
  const { client, clock } = await wanForTest({ fetch: fetchOf({ [at('broken.mp4')]: broken }).fetch });
  const taskId = await client.create({
    model: 'wan3.0-video',
    input: { media: media(['reference_video', 'broken.mp4']) },
  });
  clock.advance(6);
  expect((await client.ended(taskId)).output).toMatchObject({ task_status: 'FAILED', code: 'InternalError.Algo' });
});
