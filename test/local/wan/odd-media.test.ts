import { describe, expect, test } from 'vitest';
import { findModel } from '../../../local/wan/models.ts';
import { checkVideo } from '../../../local/wan/video.ts';
import { id3, mp3Of, wavChunk, wavOf } from '../../support/audio-variants.ts';
import {
  app1,
  bmp,
  chunk,
  frameControl,
  imageVariant,
  jpeg,
  png,
  segment,
  webp,
} from '../../support/image-variants.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { bodyFor, clip, difference, fetchOf, frameOf, inspect, probe, sharedWan, wanForTest } from './support.ts';

const url = 'https://files.example/odd';
const size = { width: 640, height: 400 };
const short = segment(0xe2, Buffer.from('a segment that is longer than it declares', 'latin1'));
short.writeUInt16BE(20, 2);
const withoutOffset = bmp(size);
withoutOffset.writeUInt32LE(0, 10);
const oneFrame = chunk('acTL', Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));

describe('the emulator makes a video of an image that firstframe accepts', () => {
  test.each<[string, Buffer]>([
    ['a BMP whose header declares no file size', bmp({ ...size, declaredSize: 0 })],
    ['a BMP whose header declares no offset', withoutOffset],
    ['an OS/2 BMP', bmp({ ...size, header: 12 })],
    ['a BMP with run-length encoding', bmp({ ...size, rle: true })],
    ['a BMP without the padding of its last row', bmp({ width: 641, height: 400, cut: 1 })],
    ['an animated PNG', png({ ...size, before: [oneFrame, frameControl(640, 400)] })],
    ['an animated WEBP', webp({ ...size, lossy: true, frames: 3 })],
    ['a WEBP with bytes after its end', webp({ ...size, lossy: true, after: Buffer.alloc(99) })],
    ['a JPEG with fill bytes', jpeg({ ...size, before: [Buffer.alloc(5, 0xff)] })],
    ['a JPEG with stray bytes after EXIF', jpeg({ ...size, before: [app1(6), Buffer.alloc(2)] })],
    ['a JPEG with a segment length that is too short', jpeg({ ...size, before: [short] })],
  ])('%s', async (_kind, image) => {
    const { client, clock } = await wanForTest({ fetch: fetchOf({ [url]: image }).fetch });
    const parameters = { resolution: '480P', duration: 3 };
    const taskId = await client.create(bodyFor('wan2.1-i2v-turbo', { input: { img_url: url }, parameters }));
    clock.advance(6);
    expect((await client.ended(taskId)).output).toMatchObject({ task_status: 'SUCCEEDED' });
    const { streams, format } = await probe(await client.video(taskId));
    expect(streams[0]).toMatchObject({ codec_name: 'h264', nb_frames: '90' });
    expect(Number(format.duration)).toBeCloseTo(3, 1);
  });

  test('without turning it by its EXIF orientation', async () => {
    const image = jpeg({ width: 1000, height: 500, before: [app1(6)] });
    const { client, clock } = await wanForTest({ fetch: fetchOf({ [url]: image }).fetch });
    const parameters = { resolution: '480P', duration: 3 };
    const taskId = await client.create(bodyFor('wan2.1-i2v-turbo', { input: { img_url: url }, parameters }));
    clock.advance(6);
    const { streams } = await probe(await client.video(taskId));
    expect(streams[0]!.width).toBeGreaterThan(streams[0]!.height);
  });
});

describe('the emulator accepts', () => {
  let image: Buffer = Buffer.alloc(0);
  const wan = sharedWan({ fetch: async () => new Response(new Uint8Array(image)) });
  const random = seededRandom(11);

  test('every image of 150 odd forms', async () => {
    for (let round = 0; round < 150; round += 1) {
      const variant = imageVariant(random);
      image = variant.bytes;
      const { status, body } = await wan().client.submit(bodyFor('wan2.1-i2v-turbo', { input: { img_url: url } }));
      expect({ variant: variant.name, status, body }).toMatchObject({ status: 200 });
    }
  });
});

describe('the emulator plays audio that firstframe accepts', () => {
  const seconds = 4;
  const odd = wavChunk('LIST', Buffer.from('INFOISFT\x05\0\0\0Lavf5', 'latin1'), { pad: false });
  test.each<[string, Buffer, isHeard: boolean]>([
    ['a WAV', wavOf({ seconds }), true],
    ['a WAV that was streamed', wavOf({ seconds, dataSize: 0xffffffff, riffSize: 0xffffffff }), true],
    ['a WAV that declares no size', wavOf({ seconds, dataSize: 0, riffSize: 0 }), true],
    ['a WAV that declares more than it has', wavOf({ seconds, dataSize: 900_000, riffSize: 900_036 }), true],
    ['an RF64', wavOf({ seconds, form: 'RF64' }), true],
    ['a WAV without a pad byte', wavOf({ seconds, before: [odd] }), true],
    ['an MP3 with two tags', mp3Of({ seconds, before: [id3(300), id3(2000)] }), false],
    ['an MP3 with bytes before its first frame', mp3Of({ seconds, before: [Buffer.from('some bytes')] }), false],
    ['an MP3 with bytes between frames', mp3Of({ seconds, within: Buffer.alloc(900, 0x55) }), false],
    ['an MP3 of 30 s with the padding of its encoder', mp3Of({ seconds: 30.1 }), false],
  ])('%s', async (_kind, audio, isHeard) => {
    const files = fetchOf({ [url]: audio });
    const { client, clock } = await wanForTest({ fetch: files.fetch });
    const taskId = await client.create(
      bodyFor('wan2.5-i2v-preview', { input: { audio_url: url }, parameters: { resolution: '480P', duration: 5 } }),
    );
    clock.advance(6);
    const { output } = await client.ended(taskId);
    expect(output).toMatchObject({ task_status: 'SUCCEEDED' });
    const volume = /mean_volume: (-?[\d.]+) dB/.exec(
      await inspect(await client.video(taskId), ['-map', '0:a', '-af', 'volumedetect', '-f', 'null', '-']),
    )?.[1];
    expect(Number(volume) > -60).toBe(isHeard);
  });
});

describe('the emulator makes a video from a clip', () => {
  const size = '320x240';
  test.each<[string, Parameters<typeof clip>[0]]>([
    ['whose index is at the start', { seconds: 2, size, output: ['-movflags', 'faststart'] }],
    ['in fragments', { seconds: 2, size, audio: true, output: ['-movflags', 'frag_keyframe+empty_moov', '-g', '20'] }],
    [
      'in fragments with default durations',
      { seconds: 2, size, output: ['-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-g', '20'] },
    ],
    ['with B-frames', { seconds: 2, size, output: ['-preset', 'medium', '-bf', '3'] }],
    ['with other frame rates', { seconds: 2, size, fps: 24 }],
    ['as MOV with MPEG-4 video', { seconds: 2, size, format: 'mov', output: ['-c:v', 'mpeg4'] }],
    ['with odd sides', { seconds: 2, size: '321x241', output: ['-pix_fmt', 'yuv444p'] }],
    ['with a name that an old program wrote', { seconds: 2, size, format: 'mov', output: ['-brand', 'qt  '] }],
  ])('%s', async (_kind, options) => {
    const source = await clip(options);
    const { client, clock } = await wanForTest({ fetch: fetchOf({ [url]: source }).fetch });
    const input = { media: [{ type: 'first_clip', url }] };
    const taskId = await client.create({ model: 'wan2.7-i2v', input, parameters: { resolution: '720P', duration: 3 } });
    clock.advance(6);
    const { output, usage } = await client.ended(taskId);
    expect(output).toMatchObject({ task_status: 'SUCCEEDED' });
    expect(usage.input_video_duration).toBeCloseTo(2, 1);
    const video = await client.video(taskId);
    expect((await probe(video)).streams[0]).toMatchObject({ codec_name: 'h264', nb_frames: '90' });
    expect(difference(await frameOf(video, 1), await frameOf(source, 1))).toBeLessThan(8);
  });
});

test('the emulator rejects 2,000 damaged clips or accepts them, and never fails to read one', async () => {
  const clips = [
    await clip({ seconds: 2, size: '240x240', fps: 16, audio: true }),
    await clip({ seconds: 2, size: '240x240', fps: 16, output: ['-movflags', 'frag_keyframe+empty_moov'] }),
  ];
  const random = seededRandom(3);
  const limits = findModel('wan3.0-video')!.videoFile!;
  let accepted = 0;
  for (let round = 0; round < 2000; round += 1) {
    const damaged = Buffer.from(clips[round % 2]!);
    const boxes = damaged.indexOf('moov');
    for (let change = 0; change < 4; change += 1)
      damaged[boxes + Math.floor(random() * 700)] = Math.floor(random() * 256);
    const checked = checkVideo(
      damaged.subarray(0, random() < 0.2 ? Math.floor(random() * damaged.length) : undefined),
      limits,
    );
    if ('value' in checked) accepted += 1;
    else expect(checked.error.code).toBe('InvalidURL');
  }
  expect(accepted).toBeGreaterThan(200);
  expect(accepted).toBeLessThan(1800);
});
