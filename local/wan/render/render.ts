import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { isCutOff } from '../image.ts';
import { sha256 } from '../sha256.ts';
import type { Task } from '../task.ts';
import { writeFileWhole } from '../write-file.ts';
import { createFfmpeg, RenderError } from './ffmpeg.ts';
import { frameFilters, framesPerSecond, renderedSeconds } from './frames.ts';
import { type Recipe, recipeName, recipeOf } from './recipe.ts';
import { dotSize, watermarkImage } from './watermark.ts';

export { RenderError } from './ffmpeg.ts';

export interface Renderer {
  /**
   * Renders a task's video, unless its recipe has been rendered before.
   *
   * @returns the name of the rendering
   * @throws RenderError when the image cannot be rendered
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
    await rename(unfinished, path);
  }

  /** Encodes the frames of a video, which videos with other durations or audio may share. */
  async function makeFrames(recipe: Recipe): Promise<string> {
    const { audio: _audio, ...visual } = { ...recipe, seconds: renderedSeconds(recipe) };
    const path = join(frameDirectory, `${sha256(JSON.stringify(visual))}.mp4`);
    const image = options.inputPath(recipe.image);
    const makeFrom = (input: readonly string[]) =>
      make(path, async () => {
        const dot = dotSize(Math.max(recipe.width, recipe.height));
        const watermark = join(frameDirectory, `watermark-${dot}.pam`);
        if (recipe.watermark) await writeFileWhole(watermark, watermarkImage(dot));
        return frameArguments(recipe, input, watermark);
      });
    await makeFrom([...still, image]).catch(async (error) => {
      if (!(error instanceof RenderError) || isCutOff(await readFile(image))) throw error;
      await makeFrom(plainStill);
    });
    return path;
  }

  return {
    async render(task) {
      const recipe = recipeOf(task);
      const name = recipeName(recipe);
      const makeWith = (audible: Recipe) =>
        make(join(directory, `${name}.mp4`), async () =>
          videoArguments(audible, await makeFrames(recipe), options.inputPath),
        );
      await makeWith(recipe).catch(async (error) => {
        if (!(error instanceof RenderError) || typeof recipe.audio !== 'object') throw error;
        // The audio is valid: this ffmpeg cannot read it although other decoders can.
        await makeWith({ ...recipe, audio: 'generated' });
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
const still = ['-noautorotate', '-f', 'image2', '-pattern_type', 'none', '-framerate', String(framesPerSecond), '-i'];

/** Replaces an image that this ffmpeg cannot decode although others can, such as an animated WEBP. */
const plainStill = ['-f', 'lavfi', '-i', `color=c=gray:s=64x64:r=${framesPerSecond}:d=${1 / framesPerSecond}`];

// Without timestamps, and with a fixed number of threads, the same recipe gives the same bytes.
const reproducible = ['-fflags', '+bitexact', '-map_metadata', '-1'];

function frameArguments(recipe: Recipe, input: readonly string[], watermark: string): string[] {
  const filters = [frameFilters(recipe)];
  if (recipe.watermark) filters.push('[frames][1:v]overlay=x=W-w-16:y=H-h-16,format=yuv420p[marked]');
  return [
    ...input,
    ...(recipe.watermark ? ['-i', watermark] : []),
    ...['-filter_complex', filters.join(';'), '-map', recipe.watermark ? '[marked]' : '[frames]'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '30', '-threads', '2', '-pix_fmt', 'yuv420p'],
    ...['-flags:v', '+bitexact', ...reproducible],
    ...['-r', String(framesPerSecond), '-t', String(renderedSeconds(recipe))],
  ];
}

/** Repeats the encoded frames up to the video's duration, without encoding them again, and adds the audio. */
function videoArguments(recipe: Recipe, frames: string, inputPath: (file: string) => string): string[] {
  const times = recipe.seconds / renderedSeconds(recipe);
  return [
    ...['-stream_loop', String(times - 1), '-i', frames],
    ...(typeof recipe.audio === 'object' ? ['-i', inputPath(recipe.audio.file)] : []),
    ...(recipe.audio === 'none' ? [] : ['-filter_complex', `${audioFilters(recipe)}[audio]`]),
    ...['-map', '0:v', '-c:v', 'copy'],
    ...(recipe.audio === 'none' ? [] : ['-map', '[audio]', '-c:a', 'aac', '-b:a', '96k', '-flags:a', '+bitexact']),
    ...[...reproducible, '-t', String(recipe.seconds), '-movflags', '+faststart'],
  ];
}

/** Returns the caller's audio, cut or padded with silence to the video's duration, or two soft tones derived from the motion. */
function audioFilters(recipe: Recipe): string {
  if (typeof recipe.audio === 'object') {
    return `[1:a]aresample=48000,aformat=channel_layouts=stereo,apad,atrim=end=${recipe.seconds}`;
  }
  const pitch = 110 + (Number.parseInt(recipe.motion.slice(0, 4), 16) % 220);
  const tones = `0.12*sin(2*PI*${pitch}*t)*(0.6+0.4*sin(2*PI*0.5*t))+0.06*sin(2*PI*${pitch * 1.5}*t)`;
  return `aevalsrc=exprs='${tones}|${tones}':s=48000:d=${recipe.seconds}`;
}

/** Returns an ISO BMFF box that players skip: eight bytes of size and type, then the text. */
function freeBox(text: string): Buffer {
  const content = Buffer.from(text, 'utf8');
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + content.length, 0);
  header.write('free', 4, 'latin1');
  return Buffer.concat([header, content]);
}
