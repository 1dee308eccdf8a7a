import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { projectRoot, sourceMapOf } from './bundle.ts';

/** The source of a position in a bundle. */
export interface SourcePosition {
  /** Path relative to the root. */
  readonly file: string;
  /** From 1, like `column`. */
  readonly line: number;
  readonly column: number;
  /** The original name of the identifier at this position, if the minifier renamed it. */
  readonly name: string | undefined;
  /** Whether an expression or declaration starts exactly here, as every call does. */
  readonly isExact: boolean;
}

/** A function's minified code with the source of each position. Lines and columns count from 1. */
export interface MappedBundle {
  readonly code: string;
  /** @returns undefined for code that the bundler generated and for positions outside the bundle */
  readonly sourceOf: (line: number, column: number) => SourcePosition | undefined;
}

/** Reads the bundle of a function and its source map, as written by `bundle`. */
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
