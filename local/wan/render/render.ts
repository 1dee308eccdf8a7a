import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../files.ts';
import type { Task } from '../task.ts';
import { createFfmpeg } from './ffmpeg.ts';
import { framesPerSecond, pictureFilters } from './pictures.ts';
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
  const ffmpeg = createFfmpeg();
  const rendering = new Map<string, Promise<string>>();

  async function render(recipe: Recipe, name: string): Promise<string> {
    const path = join(directory, `${name}.mp4`);
    if (await stat(path).catch(() => undefined)) return name;
    const dot = dotSize(Math.max(recipe.width, recipe.height));
    const watermark = join(directory, `watermark-${dot}.pam`);
    if (recipe.watermark) await writeWhole(watermark, watermarkPicture(dot));
    // A name of its own: an ffmpeg that outlived a killed run may still be writing to another.
    const unfinished = join(directory, `${name}.${randomUUID()}.part.mp4`);
    await ffmpeg.run([...ffmpegArguments(recipe, options.inputPath, watermark), unfinished]);
    await rename(unfinished, path);
    return name;
  }

  return {
    render(task) {
      const recipe = recipeOf(task);
      const name = recipeName(recipe);
      const started = rendering.get(name) ?? render(recipe, name).finally(() => rendering.delete(name));
      rendering.set(name, started);
      return started;
    },
    async read(name, taskId) {
      return Buffer.concat([await readFile(join(directory, `${name}.mp4`)), freeBox(taskId)]);
    },
    close: () => ffmpeg.close(),
  };
}

function ffmpegArguments(recipe: Recipe, inputPath: (file: string) => string, watermark: string): string[] {
  const sound = typeof recipe.sound === 'object' ? inputPath(recipe.sound.file) : undefined;
  const soundInput = recipe.watermark ? 2 : 1;
  const filters = [pictureFilters(recipe)];
  if (recipe.watermark) filters.push('[pictures][1:v]overlay=x=W-w-16:y=H-h-16,format=yuv420p[marked]');
  if (recipe.sound !== 'none') filters.push(`${soundFilters(recipe, soundInput)}[sound]`);
  return [
    ...['-framerate', String(framesPerSecond), '-i', inputPath(recipe.image)],
    ...(recipe.watermark ? ['-i', watermark] : []),
    ...(sound ? ['-i', sound] : []),
    ...['-filter_complex', filters.join(';'), '-map', recipe.watermark ? '[marked]' : '[pictures]'],
    ...(recipe.sound === 'none' ? [] : ['-map', '[sound]', '-c:a', 'aac', '-b:a', '96k', '-flags:a', '+bitexact']),
    // Fixed threads and no stamps: the same recipe gives the same bytes.
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '30', '-threads', '2', '-pix_fmt', 'yuv420p'],
    ...['-flags:v', '+bitexact', '-fflags', '+bitexact', '-map_metadata', '-1'],
    ...['-r', String(framesPerSecond), '-t', String(recipe.seconds), '-movflags', '+faststart'],
  ];
}

/** The caller's audio, cut or filled with silence to the video's length, or two soft tones made up from the motion. */
function soundFilters(recipe: Recipe, input: number): string {
  if (typeof recipe.sound === 'object') {
    return `[${input}:a]aresample=48000,aformat=channel_layouts=stereo,apad,atrim=end=${recipe.seconds}`;
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
