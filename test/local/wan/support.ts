import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';
import ffmpegInstaller from '@ffmpeg-installer/ffmpeg';
import ffprobeInstaller from '@ffprobe-installer/ffprobe';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { startWan, type Wan, type WanOptions } from '../../../local/wan/server.ts';

const run = promisify(execFile);

/** 2025-09-25 11:07:28.590 in UTC+8, the submit time of the reference's example. */
export const submitTime = Date.parse('2025-09-25T03:07:28.590Z');

/** A clock that only moves when a test advances it. */
export function createClock(start = submitTime) {
  let time = start;
  return {
    now: () => time,
    advance(seconds: number) {
      time += seconds * 1000;
    },
  };
}

/** Starts an emulator on a free port, by default in a new directory and without limits. Closes it after the test. */
export async function wanForTest(options: Partial<WanOptions> = {}) {
  const clock = createClock();
  const directory = options.directory ?? (await temporaryDirectory());
  const wan = await startWan({ port: 0, directory, taskSeconds: 6, limits: 'off', now: clock.now, ...options });
  onTestFinished(() => wan.close());
  return { wan, clock, directory, client: createClient(wan) };
}

/** Starts one emulator for all tests of a file or a describe. The returned function works once they run. */
export function sharedWan(options: Partial<WanOptions> = {}) {
  const clock = createClock();
  let shared: { wan: Wan; clock: typeof clock; client: Client } | undefined;
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'wan-'));
    const wan = await startWan({ port: 0, directory, taskSeconds: 6, limits: 'off', now: clock.now, ...options });
    shared = { wan, clock, client: createClient(wan) };
  });
  afterAll(async () => {
    await shared?.wan.close();
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return () => {
    if (!shared) throw new Error('The emulator is started when the tests run.');
    return shared;
  };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wan-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  return directory;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: responses are asserted member by member
  readonly body: any;
}

export const submitPath = '/services/aigc/video-generation/video-synthesis';
export type Client = ReturnType<typeof createClient>;

/** An HTTP client of an emulator, by default with the headers of the reference. */
export function createClient(wan: Pick<Wan, 'url'>, key = 'sk-test') {
  async function send(method: string, path: string, headers: Record<string, string> = {}, body?: string | FormData) {
    const response = await fetch(path.startsWith('http') ? path : wan.url + path, {
      method,
      headers,
      ...(body && { body }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    } satisfies Reply;
  }
  const authorization = { Authorization: `Bearer ${key}` };
  const submitHeaders = { 'X-DashScope-Async': 'enable', 'Content-Type': 'application/json', ...authorization };
  const submit = (body: unknown, headers: Record<string, string> = {}) =>
    send('POST', submitPath, { ...submitHeaders, ...headers }, typeof body === 'string' ? body : JSON.stringify(body));
  /** Queries until the task has ended: a busy machine may render longer than a query waits. */
  async function ended(taskId: string): Promise<Reply['body']> {
    for (;;) {
      const { body } = await send('GET', `/tasks/${taskId}`, authorization);
      if (body.output.task_status !== 'RUNNING') return body;
    }
  }
  return {
    send,
    submit,
    /** Submits a task. @returns its id; @throws Error when it was rejected */
    async create(body: unknown): Promise<string> {
      const reply = await submit(body);
      if (reply.status !== 200) throw new Error(`rejected: ${JSON.stringify(reply.body)}`);
      return reply.body.output.task_id;
    },
    query: (taskId: string) => send('GET', `/tasks/${taskId}`, authorization),
    list: (query = '') => send('GET', `/tasks/${query}`, authorization),
    cancel: (taskId: string) => send('POST', `/tasks/${taskId}/cancel`, authorization),
    quotas: (query: string) => send('GET', `/quotas${query}`, authorization),
    policy: (query: string) => send('GET', `/uploads${query}`, authorization),
    async statusOf(taskId: string): Promise<string> {
      return (await send('GET', `/tasks/${taskId}`, authorization)).body.output.task_status;
    },
    ended,
    /** The bytes of a finished task's video. */
    async video(taskId: string): Promise<Buffer> {
      const { output } = await ended(taskId);
      return Buffer.from(await (await fetch(output.video_url)).arrayBuffer());
    },
  };
}

/** Returns a valid body for a model, with its first frame in the model's own form. */
export function bodyFor(model: string, more: { input?: object; parameters?: object } = {}) {
  const image = /^wan(2\.7|3)/.test(model)
    ? { media: [{ type: 'first_frame', url: firstFrame }] }
    : { img_url: firstFrame };
  return { model, input: { prompt: 'a cat', ...image, ...more.input }, parameters: { ...more.parameters } };
}

/** Returns a checkered image, in which movement is visible, or one of a color. `alpha` adds an alpha channel. */
export function png(
  width: number,
  height: number,
  options: { alpha?: boolean; hue?: number; color?: readonly [number, number, number] } = {},
): Buffer {
  const bytesPerPixel = options.alpha ? 4 : 3;
  const rows = Buffer.alloc(height * (1 + width * bytesPerPixel));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * bytesPerPixel) + 1 + x * bytesPerPixel;
      const isDark = ((x >> 6) + (y >> 6)) % 2 === 0;
      if (options.color) rows.set(options.color, at);
      else rows.set([isDark ? 40 : 220, (x >> 6) * 12, options.hue ?? (y >> 6) * 12, 128].slice(0, bytesPerPixel), at);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, options.alpha ? 6 : 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 1 });
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(8 + body.length);
  framed.writeUInt32BE(content.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), 4 + body.length);
  return framed;
}

export function dataUrl(content: Buffer, type = 'image/png'): string {
  return `data:${type};base64,${content.toString('base64')}`;
}

/** An image of 750×1000, the example size of the reference. */
export const firstFrame = dataUrl(png(750, 1000));

/** Returns a WAV file: 8 kHz, one channel, 16 bit, a 440 Hz tone. */
export function wav(seconds: number): Buffer {
  const rate = 8000;
  const data = Buffer.alloc(Math.round(seconds * rate) * 2);
  for (let at = 0; at < data.length / 2; at += 1) data.writeInt16LE(Math.round(12000 * Math.sin(at * 0.3456)), at * 2);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

/** Returns an MP3 file of silent frames (MPEG 1 layer III, 128 kbit/s, 44.1 kHz) after an ID3 tag. */
export function mp3(seconds: number): Buffer {
  const tag = Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 10, ...new Array(10).fill(0)]);
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0x00]);
  return Buffer.concat([tag, ...new Array<Buffer>(Math.round((seconds * 44100) / 1152)).fill(frame)]);
}

/** Makes a video of a moving test pattern, whose colors `hue` shifts, or of one color. */
export async function clip(options: {
  readonly seconds: number;
  readonly fps?: number;
  readonly size?: string;
  readonly format?: 'mp4' | 'mov';
  readonly audio?: boolean;
  readonly hue?: number;
  readonly color?: string;
  /** Further arguments of ffmpeg for the output. */
  readonly output?: readonly string[];
}): Promise<Buffer> {
  const { seconds, fps = 30, size = '320x240', format = 'mp4', audio = false, hue = 0, color, output = [] } = options;
  const pattern = color ? `color=c=${color}:` : 'testsrc=';
  const directory = await mkdtemp(join(tmpdir(), 'wan-clip-'));
  const path = join(directory, `clip.${format}`);
  try {
    await run(ffmpegInstaller.path, [
      ...['-v', 'error', '-f', 'lavfi', '-i', `${pattern}size=${size}:rate=${fps}:duration=${seconds}`],
      ...(audio ? ['-f', 'lavfi', '-i', `aevalsrc=exprs=0.5*sin(2*PI*440*t):s=48000:d=${seconds}`] : []),
      ...['-vf', `hue=h=${hue}`, '-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '16', '-pix_fmt', 'yuv420p'],
      ...[...output, path],
    ]);
    return await readFile(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Returns the frame at a time of a video (the last one by default) as RGB, scaled to a square. */
export async function frameOf(video: Buffer, seconds?: number, side = 32): Promise<Buffer> {
  const isLast = seconds === undefined;
  return rgbOf(video, isLast ? ['-sseof', '-0.5'] : ['-ss', String(seconds)], isLast, side);
}

async function rgbOf(content: Buffer, seek: readonly string[], last: boolean, side = 32): Promise<Buffer> {
  return withFile(content, async (path) => {
    const filter = `scale=${side}:${side}:flags=area,format=rgb24`;
    const frames = last ? [] : ['-frames:v', '1'];
    const args = ['-v', 'error', ...seek, '-i', path, '-vf', filter, ...frames, '-f', 'rawvideo', '-'];
    const { stdout } = await run(ffmpegInstaller.path, args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
    return stdout.subarray(-side * side * 3);
  });
}

/** Returns an image in the form of `frameOf`. */
export const pixelsOf = (image: Buffer): Promise<Buffer> => rgbOf(image, [], false);

/** Returns the mean difference of two frames per channel, 0 to 255. */
export function difference(one: Buffer, other: Buffer): number {
  if (one.length !== other.length || one.length === 0) throw new Error('The frames differ in size.');
  return one.reduce((sum, value, at) => sum + Math.abs(value - (other[at] ?? 0)), 0) / one.length;
}

/** Returns the mean volume in dB of a part of a file; silence is -91 or less. */
export async function loudness(video: Buffer, from: number, seconds: number): Promise<number> {
  const part = `atrim=start=${from}:duration=${seconds},volumedetect`;
  const args = ['-map', '0:a', '-af', part, '-f', 'null', '-'];
  return Number(/mean_volume: (-?[\d.]+) dB/.exec(await inspect(video, args))?.[1]);
}

/** Returns a fetch that serves only these files, and the URLs that were requested. */
export function fetchOf(files: Readonly<Record<string, Buffer | Error | Response>>) {
  const requested: string[] = [];
  const fetchFile: typeof fetch = async (url) => {
    requested.push(String(url));
    const file = files[String(url)];
    if (file instanceof Error) throw file;
    if (file instanceof Response) return file;
    return file ? new Response(new Uint8Array(file)) : new Response('missing', { status: 404 });
  };
  return { requested, fetch: fetchFile };
}

export interface Probed {
  readonly format: { readonly duration: string };
  readonly streams: readonly {
    readonly codec_type: string;
    readonly codec_name: string;
    readonly width: number;
    readonly height: number;
    readonly pix_fmt: string;
    readonly r_frame_rate: string;
    readonly nb_frames: string;
    readonly duration: string;
  }[];
}

/** Returns the output of ffprobe for a file. */
export async function probe(content: Buffer): Promise<Probed> {
  return withFile(content, async (path) => {
    const { stdout } = await run(ffprobeInstaller.path, [
      '-v',
      'error',
      '-show_streams',
      '-show_format',
      '-of',
      'json',
      path,
    ]);
    return JSON.parse(stdout);
  });
}

/** Returns ffmpeg's text output for a file: `framemd5`, or the output of a filter. */
export async function inspect(content: Buffer, args: readonly string[]): Promise<string> {
  return withFile(content, async (path) => {
    const { stdout, stderr } = await run(ffmpegInstaller.path, ['-hide_banner', '-i', path, ...args], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout + stderr;
  });
}

/** Converts a PNG with ffmpeg. */
export async function convert(content: Buffer, format: 'jpg' | 'bmp' | 'webp'): Promise<Buffer> {
  const encoder = { jpg: 'mjpeg', bmp: 'bmp', webp: 'libwebp' }[format];
  return withFile(content, async (path) => {
    const args = ['-v', 'error', '-i', path, '-frames:v', '1', '-c:v', encoder, '-f', 'image2pipe', '-'];
    const { stdout } = await run(ffmpegInstaller.path, args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  });
}

async function withFile<T>(content: Buffer, use: (path: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'wan-file-'));
  try {
    await writeFile(join(directory, 'file'), content);
    return await use(join(directory, 'file'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
