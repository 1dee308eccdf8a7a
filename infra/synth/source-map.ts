import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { projectRoot, sourceMapOf } from './bundle.ts';

/** Where a position of a bundle comes from. */
export interface SourcePosition {
  /** Relative to the root. */
  readonly file: string;
  /** From 1, as `column`. */
  readonly line: number;
  readonly column: number;
  /** What the sources call the identifier at this position, if the minifier renamed it. */
  readonly name: string | undefined;
  /** Whether an expression or a declaration begins exactly here, as every call does. */
  readonly isExact: boolean;
}

/** A function's minified code, and where each position of it comes from: by line and column, both from 1. */
export interface MappedBundle {
  readonly code: string;
  /** @returns undefined for what the bundler added itself, and for positions that the bundle does not have */
  readonly sourceOf: (line: number, column: number) => SourcePosition | undefined;
}

/** Reads a function's bundle as `bundle` has written it, with its source map. */
export async function readMappedBundle(name: string, root = projectRoot): Promise<MappedBundle> {
  const outdir = path.join(root, '.build');
  const codeFile = path.join(outdir, 'functions', name, 'index.js');
  const [code, text] = await Promise.all([readFile(codeFile, 'utf8'), readFile(sourceMapOf(name, outdir), 'utf8')]);
  const map = new SourceMap(JSON.parse(text) as SourceMapPayload);
  return {
    code,
    sourceOf(line, column) {
      const entry = map.findEntry(line - 1, column - 1);
      if (!('originalSource' in entry) || !entry.originalSource || entry.generatedLine !== line - 1) return undefined;
      return {
        file: path.relative(root, path.resolve(path.dirname(codeFile), entry.originalSource)),
        line: entry.originalLine + 1,
        column: entry.originalColumn + 1,
        name: 'name' in entry && typeof entry.name === 'string' ? entry.name : undefined,
        isExact: entry.generatedColumn === column - 1,
      };
    },
  };
}
