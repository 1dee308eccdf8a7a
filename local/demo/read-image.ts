import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { inspectImage, readImageHeader } from '../../functions/media/image.ts';
import type { Model } from '../../functions/wan/catalogue.ts';

export interface DemoImage {
  readonly bytes: Buffer;
  readonly content_type: string;
}

const missing = 'The file does not exist. Usage: npm run demo -- IMAGE "PROMPT"';
const readErrors: Readonly<Record<string, string>> = {
  ENOENT: missing,
  ENOTDIR: missing,
  EISDIR: 'This is a folder. Name an image in it.',
  EACCES: 'You may not read this file. Change its permissions.',
};

/**
 * Reads an image and checks it as the API would, so that every issue is reported before anything starts.
 * @param file absolute
 * @throws Error that names the file and each issue, with a command that fixes them if there is one
 */
export async function readImage(file: string, { image: limits }: Pick<Model, 'image'>): Promise<DemoImage> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file}\n${readErrors[error.code ?? ''] ?? `The file cannot be read: ${error.message}`}`);
  });
  const image = inspectImage(bytes, bytes.length, limits);
  if (image.ok) return { bytes, content_type: image.facts.content_type };
  const isFixable = image.issues.every(({ code }) => fixable.includes(code)) && !isTooNarrow(bytes, limits);
  const command = isFixable ? ['With ImageMagick:', `  ${fixCommand(file, limits)}`] : [];
  throw new Error([file, ...image.issues.map(({ message }) => message), ...command].join('\n'));
}

const fixable = ['image_too_large', 'image_dimensions', 'image_has_alpha'];

/** Whether a side is below the minimum even after both are scaled down to the maximum. */
function isTooNarrow(bytes: Buffer, { min_side, max_side }: Model['image']): boolean {
  const { width, height } = readImageHeader(bytes) ?? { width: 0, height: 0 };
  return Math.min(width, height) * Math.min(1, max_side / Math.max(width, height)) < min_side;
}

/** Scales a larger image down (`>`), and writes a JPEG, which is small and has no alpha channel. */
function fixCommand(file: string, { max_side }: Model['image']): string {
  const { dir, name } = path.parse(file);
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const output = path.join(dir, `${name}-${max_side}.jpg`);
  return `magick ${quoted(file)} -resize '${max_side}x${max_side}>' -background white -flatten ${quoted(output)}`;
}
