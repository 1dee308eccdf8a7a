import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from '../../infra/synth/bundle.ts';

const folders = ['functions', 'infra', 'local', 'web', 'bench'] as const;
const code = /\.(ts|cjs|mjs|js|css|html)$/;
/** Tables of data, which have a line per entry. */
const tables = /^functions\/(wan\/catalogue|shared\/environment|api\/openapi\/.*)\.ts$/;

export interface SourceCount {
  functionFiles: number;
  /** Lines that are neither blank nor comment by folder, and `all` as their sum. */
  lines: Record<string, number>;
  /** The longest file in `functions/` except tables, by all of its lines. */
  longest: { file: string; lines: number };
}

/** Counts the project's sources without its tests. */
export async function countSources(root = projectRoot): Promise<SourceCount> {
  const lines: Record<string, number> = {};
  let functionFiles = 0;
  let longest = { file: '', lines: 0 };
  for (const folder of folders) {
    const names = await readdir(path.join(root, folder), { recursive: true });
    lines[folder] = 0;
    for (const file of names.filter((name) => code.test(name)).map((name) => path.posix.join(folder, name))) {
      const text = await readFile(path.join(root, file), 'utf8');
      lines[folder] += codeLines(text);
      if (folder !== 'functions') continue;
      functionFiles += 1;
      const count = text.split('\n').length - 1;
      if (count > longest.lines && !tables.test(file)) longest = { file, lines: count };
    }
  }
  lines.all = Object.values(lines).reduce((sum, count) => sum + count, 0);
  return { functionFiles, lines, longest };
}

/** Counts the lines that are neither blank nor only comment. */
export function codeLines(text: string): number {
  let inComment = false;
  return text.split('\n').filter((line) => {
    const trimmed = line.trim();
    if (inComment) {
      inComment = !/\*\/|-->/.test(trimmed);
      return false;
    }
    if (/^(\/\*|<!--)/.test(trimmed)) {
      inComment = !/\*\/|-->/.test(trimmed);
      return false;
    }
    return trimmed !== '' && !trimmed.startsWith('//');
  }).length;
}
