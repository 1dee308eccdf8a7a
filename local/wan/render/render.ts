import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { sha256 } from '../sha256.ts';
import type { Task } from '../task.ts';
import { writeFileWhole } from '../write-file.ts';
import { createFfmpeg } from './ffmpeg.ts';
import { framesPerSecond, pictureFilters, secondsOfPictures } from './pictures.ts';
import { type Recipe, recipeName, recipeOf } from './recipe.ts';
import { dotSize, watermarkPicture } from './watermark.ts';

export { RenderError } from './ffmpeg.ts';

export interface Renderer {
  /**
   * Renders a task's video unless its recipe was rendered before, and says the rendering's name.
   *
   * @throws RenderError when no video can be made of the image
   */
  render(task: Task): Promise<string>;
  /** A rendering as one task's file: the task's id in a box of its own makes it unlike every other. */
  read(name: string, taskId: string): Promise<Buffer>;
  close(): void;
}

/** Opens the renderings below a directory; those that no task needs, or that a killed run left half done, go first. */
export async function openRenderer(options: {
  readonly directory: string;
  readonly tasks: readonly Task[];
  readonly inputPath: (file: string) => string;
}): Promise<Renderer> {
  const directory = join(options.directory, 'renderings');
  await mkdir(directory, { recursive: true });
  const needed = new Set(options.tasks.map((task) => `${recipeName(recipeOf(task))}.mp4`));
  for (const file of await readdir(directory)) if (!needed.has(file)) await rm(join(directory, file));
  const pictureDirectory = join(options.directory, 'pictures');
  await rm(pictureDirectory, { recursive: true, force: true });
  await mkdir(pictureDirectory);
  const ffmpeg = createFfmpeg();
  const started = new Map<string, Promise<void>>();

  /** Makes a file that isn't there yet; once, however many ask at the same time. */
  function make(path: string, argumentsOf: () => Promise<string[]>): Promise<void> {
    const making = started.get(path) ?? makeNow(path, argumentsOf).finally(() => started.delete(path));
    started.set(path, making);
    return making;
  }

  async function makeNow(path: string, argumentsOf: () => Promise<string[]>): Promise<void> {
    if (await stat(path).catch(() => undefined)) return;
    // A name of its own: an ffmpeg that outlived a killed run may still be writing to another.
    const unfinished = join(dirname(path), `${randomUUID()}.part${extname(path)}`);
    await ffmpeg.run([...(await argumentsOf()), unfinished]);
    await rename(unfinished, path);
  }

  /** The encoded pictures of a video, which videos of other lengths and sounds may share. */
  async function makePictures(recipe: Recipe): Promise<string> {
    const { sound: _sound, ...seen } = { ...recipe, seconds: secondsOfPictures(recipe) };
    const path = join(pictureDirectory, `${sha256(JSON.stringify(seen))}.mp4`);
    await make(path, async () => {
      const dot = dotSize(Math.max(recipe.width, recipe.height));
      const watermark = join(pictureDirectory, `watermark-${dot}.pam`);
      if (recipe.watermark) await writeFileWhole(watermark, watermarkPicture(dot));
      return pictureArguments(recipe, options.inputPath(recipe.image), watermark);
    });
    return path;
  }

  return {
    async render(task) {
      const recipe = recipeOf(task);
      const name = recipeName(recipe);
      await make(join(directory, `${name}.mp4`), async () =>
        videoArguments(recipe, await makePictures(recipe), options.inputPath),
      );
      return name;
    },
    async read(name, taskId) {
      return Buffer.concat([await readFile(join(directory, `${name}.mp4`)), freeBox(taskId)]);
    },
    close: () => ffmpeg.close(),
  };
}

// No stamps, and a fixed number of threads: the same recipe gives the same bytes.
const exact = ['-fflags', '+bitexact', '-map_metadata', '-1'];

function pictureArguments(recipe: Recipe, image: string, watermark: string): string[] {
  const filters = [pictureFilters(recipe)];
  if (recipe.watermark) filters.push('[pictures][1:v]overlay=x=W-w-16:y=H-h-16,format=yuv420p[marked]');
  return [
    ...['-framerate', String(framesPerSecond), '-i', image],
    ...(recipe.watermark ? ['-i', watermark] : []),
    ...['-filter_complex', filters.join(';'), '-map', recipe.watermark ? '[marked]' : '[pictures]'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '30', '-threads', '2', '-pix_fmt', 'yuv420p'],
    ...['-flags:v', '+bitexact', ...exact],
    ...['-r', String(framesPerSecond), '-t', String(secondsOfPictures(recipe))],
  ];
}

/** The pictures as often as the video's length needs them, not encoded again, and the sound. */
function videoArguments(recipe: Recipe, pictures: string, inputPath: (file: string) => string): string[] {
  const times = recipe.seconds / secondsOfPictures(recipe);
  return [
    ...['-stream_loop', String(times - 1), '-i', pictures],
    ...(typeof recipe.sound === 'object' ? ['-i', inputPath(recipe.sound.file)] : []),
    ...(recipe.sound === 'none' ? [] : ['-filter_complex', `${soundFilters(recipe)}[sound]`]),
    ...['-map', '0:v', '-c:v', 'copy'],
    ...(recipe.sound === 'none' ? [] : ['-map', '[sound]', '-c:a', 'aac', '-b:a', '96k', '-flags:a', '+bitexact']),
    ...[...exact, '-t', String(recipe.seconds), '-movflags', '+faststart'],
  ];
}

/** The caller's audio, cut or filled with silence to the video's length, or two soft tones made up from the motion. */
function soundFilters(recipe: Recipe): string {
  if (typeof recipe.sound === 'object') {
    return `[1:a]aresample=48000,aformat=channel_layouts=stereo,apad,atrim=end=${recipe.seconds}`;
  }
  const pitch = 110 + (Number.parseInt(recipe.motion.slice(0, 4), 16) % 220);
  const tones = `0.12*sin(2*PI*${pitch}*t)*(0.6+0.4*sin(2*PI*0.5*t))+0.06*sin(2*PI*${pitch * 1.5}*t)`;
  return `aevalsrc=exprs='${tones}|${tones}':s=48000:d=${recipe.seconds}`;
}

/** An ISO BMFF box that players skip: eight bytes of size and type, then the text. */
function freeBox(text: string): Buffer {
  const content = Buffer.from(text, 'utf8');
  const header = Buffer.alloc(8);
  header.writeUInt32BE(8 + content.length, 0);
  header.write('free', 4, 'latin1');
  return Buffer.concat([header, content]);
}
