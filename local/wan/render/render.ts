import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { isCutOff } from '../image.ts';
import { sha256 } from '../sha256.ts';
import type { Task } from '../task.ts';
import { writeFileWhole } from '../write-file.ts';
import { drawnImage } from './drawn-image.ts';
import { createFfmpeg, RenderError } from './ffmpeg.ts';
import { encodedFrames, frameFilters } from './frames.ts';
import { framesPerSecond, type Recipe, recipeName, recipeOf, type Segment, type Still } from './recipe.ts';
import { dotSize, watermarkImage } from './watermark.ts';

export { RenderError } from './ffmpeg.ts';

export interface Renderer {
  /**
   * Renders a task's video, unless its recipe has been rendered before.
   *
   * @returns the name of the rendering
   * @throws RenderError when an image or video of the request cannot be rendered
   */
  render(task: Task): Promise<string>;
  /** Reads a rendering as the file of one task: a box with the task's id makes each file different. */
  read(name: string, taskId: string): Promise<Buffer>;
  close(): void;
}

/** Opens the renderings in a directory. Deletes unused ones and incomplete ones of a killed process first. */
export async function openRenderer(options: {
  readonly directory: string;
  readonly tasks: readonly Task[];
  readonly inputPath: (file: string) => string;
}): Promise<Renderer> {
  const directory = join(options.directory, 'renderings');
  await mkdir(directory, { recursive: true });
  const needed = new Set(options.tasks.map((task) => `${recipeName(recipeOf(task))}.mp4`));
  for (const file of await readdir(directory)) if (!needed.has(file)) await rm(join(directory, file));
  const frameDirectory = join(options.directory, 'frames');
  await rm(frameDirectory, { recursive: true, force: true });
  await mkdir(frameDirectory);
  const ffmpeg = createFfmpeg();
  const started = new Map<string, Promise<void>>();

  /** Creates a missing file; concurrent calls for the same file share one run. */
  function make(path: string, argumentsOf: () => Promise<string[]>): Promise<void> {
    const making = started.get(path) ?? makeNow(path, argumentsOf).finally(() => started.delete(path));
    started.set(path, making);
    return making;
  }

  async function makeNow(path: string, argumentsOf: () => Promise<string[]>): Promise<void> {
    if (await stat(path).catch(() => undefined)) return;
    // A new name, because an ffmpeg that outlived a killed process may still be writing its file.
    const unfinished = join(dirname(path), `${randomUUID()}.part${extname(path)}`);
    await ffmpeg.run([...(await argumentsOf()), unfinished]);
    // ffmpeg succeeds without output when its input has no frames.
    await rename(unfinished, path).catch((error) => {
      throw error.code === 'ENOENT' ? new RenderError('ffmpeg made no file.') : error;
    });
  }

  /** Returns the input arguments of a still image, which is made first if it is not a file of the request. */
  async function stillInput(still: Still, motion: string): Promise<string[]> {
    if (still === 'drawn') {
      const path = join(frameDirectory, `drawn-${motion}.pam`);
      await writeFileWhole(path, drawnImage(motion));
      return [...readStill, path];
    }
    if ('file' in still) return [...readStill, options.inputPath(still.file)];
    const path = join(frameDirectory, `last-frame-${sha256(still.lastFrameOf)}.png`);
    // Reads the last two seconds and overwrites the image with each frame, so that the last one is left.
    await make(path, async () => [
      ...['-noautorotate', '-sseof', '-2', '-i', options.inputPath(still.lastFrameOf)],
      ...['-map', '0:v:0', '-f', 'image2', '-update', '1'],
    ]);
    return [...readStill, path];
  }

  /** Encodes the frames of a segment, which videos with other durations or audio may share. */
  async function makeSegment(recipe: Recipe, segment: Segment): Promise<string> {
    const { width, height, motion, watermark, quantizer } = recipe;
    const own = { ...segment, frames: encodedFrames(segment) };
    const path = join(
      frameDirectory,
      `${sha256(JSON.stringify([width, height, motion, watermark, quantizer, own]))}.mp4`,
    );
    const stills = 'still' in segment ? [segment.still, ...('last' in segment ? [segment.last] : [])] : [];
    const makeFrom = (inputs: readonly (readonly string[])[]) =>
      make(path, async () => {
        const dot = dotSize(Math.max(width, height));
        const image = join(frameDirectory, `watermark-${dot}.pam`);
        if (watermark) await writeFileWhole(image, watermarkImage(dot));
        return segmentArguments(recipe, segment, [...inputs, ...(watermark ? [['-i', image]] : [])]);
      });
    if (segment.kind === 'clip') {
      await makeFrom([['-noautorotate', '-i', options.inputPath(segment.file)]]);
      return path;
    }
    const inputs = await Promise.all(stills.map((still) => stillInput(still, motion)));
    await makeFrom(inputs).catch(async (error) => {
      if (!(error instanceof RenderError) || (await isAnyCutOff(stills))) throw error;
      await makeFrom(stills.map(() => plainStill));
    });
    return path;
  }

  async function isAnyCutOff(stills: readonly Still[]): Promise<boolean> {
    const files = stills.flatMap((still) => (still !== 'drawn' && 'file' in still ? [still.file] : []));
    const contents = await Promise.all(files.map((file) => readFile(options.inputPath(file))));
    return contents.some(isCutOff);
  }

  /** Joins the segments without encoding them again, and adds the audio. */
  async function makeVideo(recipe: Recipe, path: string): Promise<void> {
    const list = join(frameDirectory, `${sha256(path)}-${randomUUID()}.txt`);
    try {
      await make(path, async () => {
        const lines: string[] = [];
        for (const segment of recipe.segments) lines.push(...playlist(segment, await makeSegment(recipe, segment)));
        await writeFileWhole(list, lines.join('\n'));
        return videoArguments(recipe, list, options.inputPath);
      });
    } finally {
      await rm(list, { force: true });
    }
  }

  return {
    async render(task) {
      const recipe = recipeOf(task);
      const name = recipeName(recipe);
      const path = join(directory, `${name}.mp4`);
      await makeVideo(recipe, path).catch(async (error) => {
        if (!(error instanceof RenderError) || typeof recipe.audio !== 'object') throw error;
        // The audio is valid: this ffmpeg cannot read it although other decoders can.
        await makeVideo({ ...recipe, audio: 'generated' }, path);
      });
      return name;
    },
    async read(name, taskId) {
      return Buffer.concat([await readFile(join(directory, `${name}.mp4`)), freeBox(taskId)]);
    },
    close: () => ffmpeg.close(),
  };
}

/** Reads one image without turning it by its EXIF orientation; the file follows. */
const readStill = [
  '-noautorotate',
  '-f',
  'image2',
  '-pattern_type',
  'none',
  '-framerate',
  String(framesPerSecond),
  '-i',
];

/** Replaces an image that this ffmpeg cannot decode although others can, such as an animated WEBP. */
const plainStill = ['-f', 'lavfi', '-i', `color=c=gray:s=64x64:r=${framesPerSecond}:d=${1 / framesPerSecond}`];

// Without timestamps, and with a fixed number of threads, the same recipe gives the same bytes.
const reproducible = ['-fflags', '+bitexact', '-map_metadata', '-1'];

function segmentArguments(recipe: Recipe, segment: Segment, inputs: readonly (readonly string[])[]): string[] {
  const filters = [frameFilters(recipe, segment)];
  if (recipe.watermark) {
    filters.push(`[frames][${inputs.length - 1}:v]overlay=x=W-w-16:y=H-h-16,format=yuv420p[marked]`);
  }
  return [
    ...inputs.flat(),
    ...['-filter_complex', filters.join(';'), '-map', recipe.watermark ? '[marked]' : '[frames]'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', String(recipe.quantizer), '-threads', '2'],
    ...['-pix_fmt', 'yuv420p', '-flags:v', '+bitexact', ...reproducible],
    ...['-r', String(framesPerSecond), '-frames:v', String(encodedFrames(segment))],
  ];
}

/** Returns the lines of a list for ffmpeg's concat demuxer: an encoded segment, repeated up to the segment's length. */
function playlist(segment: Segment, path: string): string[] {
  const encoded = encodedFrames(segment);
  const lines: string[] = [];
  for (let frame = 0; frame < segment.frames; frame += encoded) {
    const rest = segment.frames - frame;
    lines.push(`file '${path.replaceAll("'", "'\\''")}'`);
    // Half a frame before the next one, so that rounding does not matter.
    if (rest < encoded) lines.push(`outpoint ${(rest - 0.5) / framesPerSecond}`);
  }
  return lines;
}

function videoArguments(recipe: Recipe, list: string, inputPath: (file: string) => string): string[] {
  const { audio } = recipe;
  const files = typeof audio !== 'object' ? [] : 'files' in audio ? audio.files : [audio.clip];
  return [
    ...['-f', 'concat', '-safe', '0', '-i', list],
    ...files.flatMap((file) => ['-i', inputPath(file)]),
    ...(audio === 'none' ? [] : ['-filter_complex', `${audioFilters(recipe, audio)}[audio]`]),
    ...['-map', '0:v', '-c:v', 'copy'],
    ...(audio === 'none' ? [] : ['-map', '[audio]', '-c:a', 'aac', '-b:a', '96k', '-flags:a', '+bitexact']),
    ...[...reproducible, '-t', String(recipe.frames / framesPerSecond), '-movflags', '+faststart'],
  ];
}

const stereo = 'aresample=48000,aformat=channel_layouts=stereo';

/** Returns the audio of the caller's files or clip, cut or padded to the video's duration, or two soft tones derived from the motion. */
function audioFilters({ motion, frames }: Recipe, audio: Exclude<Recipe['audio'], 'none'>): string {
  const seconds = frames / framesPerSecond;
  const pitch = 110 + (Number.parseInt(motion.slice(0, 4), 16) % 220);
  const tones = `0.12*sin(2*PI*${pitch}*t)*(0.6+0.4*sin(2*PI*0.5*t))+0.06*sin(2*PI*${pitch * 1.5}*t)`;
  const generated = (length: number) => `aevalsrc=exprs='${tones}|${tones}':s=48000:d=${length}`;
  if (audio === 'generated') return generated(seconds);
  if ('clip' in audio) {
    const rest = Math.max(0.01, seconds - audio.seconds);
    const clip = `[1:a]${stereo},apad,atrim=end=${audio.seconds}[clip]`;
    return `${clip};${generated(rest)},${stereo}[rest];[clip][rest]concat=n=2:v=0:a=1`;
  }
  const chains = audio.files.map((_, index) => `[${index + 1}:a]${stereo}[file${index}]`);
  const labels = audio.files.map((_, index) => `[file${index}]`).join('');
  return `${chains.join(';')};${labels}concat=n=${audio.files.length}:v=0:a=1,apad,atrim=end=${seconds}`;
}

/** Returns an ISO BMFF box that players skip: eight bytes of size and type, then the text. */
function freeBox(text: string): Buffer {
  const content = Buffer.from(text, 'utf8');
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + content.length, 0);
  header.write('free', 4, 'latin1');
  return Buffer.concat([header, content]);
}
