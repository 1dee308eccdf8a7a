import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import { hashFiles, hashOf, listFiles } from './content-hash.ts';
import { jsonTexts, resolveSuffix } from './json-text.ts';

/** The code of a Lambda function, ready to run or deploy. */
export interface FunctionBundle {
  /** Absolute path of a directory with only `index.js`: CommonJS with an export `handler`. */
  readonly directory: string;
  /** SHA-256 of `index.js`, so that a function is only deployed again if its own code changed. */
  readonly hash: string;
}

export interface BundleOptions {
  /** @default - the project */
  readonly root?: string;
  /** Files by function name, relative to the root. @default - every `functions/**\/<name>.lambda.ts` */
  readonly entries?: Readonly<Record<string, string>>;
  /** @default `<root>/.build` */
  readonly outdir?: string;
}

/** Returns the path of a bundle's source map. It is outside the bundle's directory, which is deployed as a whole. */
export const sourceMapOf = (name: string, outdir = join(projectRoot, '.build')): string =>
  join(outdir, 'source-maps', `${name}.js.map`);

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The possible inputs of a bundle, relative to the root. */
const sources = ['functions', 'web', 'package.json', 'package-lock.json'];

/**
 * One build for all functions, since one build per function takes six times as long. Minified CommonJS without external modules
 * has the fastest measured cold start. `sideEffects` in package.json lets esbuild drop unused modules. Source maps are kept but
 * not deployed, since they would be most of the package.
 */
const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  minify: true,
  sourcemap: 'external',
  sourcesContent: false,
  legalComments: 'none',
  charset: 'utf8',
  loader: { '.html': 'text', '.css': 'text' },
  logLevel: 'silent',
} as const satisfies BuildOptions;

/**
 * Options for the scripts and style sheets of pages. The target is browsers of the last few years; ESM keeps variables out of the
 * global scope.
 */
const browserOptions = {
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  // Valid HTML contains no control characters, so they are escaped in strings.
  charset: 'ascii',
  logLevel: 'silent',
  write: false,
} as const satisfies BuildOptions;

/** `import script from '../page.ts?bundled'` imports a page's script or style sheet with its dependencies as text. */
const pageParts: Plugin = {
  name: 'page-parts',
  setup(build) {
    const { onLoad, esbuild } = build;
    resolveSuffix(build, 'bundled', 'page-part');
    onLoad({ filter: /./, namespace: 'page-part' }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({ ...browserOptions, entryPoints: [path] });
      return { contents: outputFiles[0]!.text.trimEnd(), loader: 'text' };
    });
  },
};

interface Manifest {
  /** Hash of sources, entries and options. */
  readonly inputs: string;
  /** Hash of each function's `index.js`. */
  readonly functions: Record<string, string>;
}

/**
 * Bundles the functions into `<outdir>/functions/<name>/index.js`. Builds nothing if no source has changed since the last build.
 * @throws the bundler's error with file and line
 */
export async function bundle({
  root = projectRoot,
  entries,
  outdir = join(root, '.build'),
}: BundleOptions = {}): Promise<Map<string, FunctionBundle>> {
  const files = await listFiles(root, sources);
  const entryFiles = entries ?? lambdaEntries(files);
  const inputs = hashOf(JSON.stringify([await hashFiles(root, files), entryFiles, options, browserOptions]));

  const manifestFile = join(outdir, 'functions', 'manifest.json');
  const cached = await readManifest(manifestFile);
  if (cached?.inputs === inputs) {
    const bundles = bundlesOf(outdir, cached);
    const written = [...bundles].flatMap(([name, { directory }]) => [
      join(directory, 'index.js'),
      sourceMapOf(name, outdir),
    ]);
    if (written.every((file) => existsSync(file))) return bundles;
  }
  const manifest: Manifest = { inputs, functions: await build(root, entryFiles, outdir) };
  await writeAtomically(manifestFile, JSON.stringify(manifest));
  return bundlesOf(outdir, manifest);
}

/** Finds the entries of functions in a list of files. @returns files by function name */
function lambdaEntries(files: readonly string[]): Record<string, string> {
  const suffix = '.lambda.ts';
  const entries: Record<string, string> = {};
  for (const file of files.filter((path) => path.startsWith('functions/') && path.endsWith(suffix))) {
    const name = basename(file, suffix);
    if (entries[name])
      throw new Error(`Two functions have the name ${name}: ${entries[name]} and ${file}. Rename one of them.`);
    entries[name] = file;
  }
  return entries;
}

async function build(
  root: string,
  entries: Readonly<Record<string, string>>,
  outdir: string,
): Promise<Record<string, string>> {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    ...options,
    plugins: [pageParts, jsonTexts],
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([name, file]) => ({ in: resolve(root, file), out: `${name}/index` })),
    outdir: join(outdir, 'functions'),
    write: false,
  });
  // The project's package.json declares ESM, but these files are CommonJS.
  await writeAtomically(join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
  const named = outputFiles.map(({ path, contents }) => ({ path, contents, name: basename(dirname(path)) }));
  const maps = named.filter(({ path }) => path.endsWith('.map'));
  const code = named.filter(({ path }) => !path.endsWith('.map'));
  await Promise.all([
    ...code.map(({ path, contents }) => writeAtomically(path, contents)),
    ...maps.map(({ name, contents }) => writeAtomically(sourceMapOf(name, outdir), contents)),
  ]);
  return Object.fromEntries(code.map(({ name, contents }) => [name, hashOf(contents)]));
}

function bundlesOf(outdir: string, { functions }: Manifest): Map<string, FunctionBundle> {
  return new Map(
    Object.entries(functions).map(([name, hash]) => [name, { directory: join(outdir, 'functions', name), hash }]),
  );
}

async function readManifest(file: string): Promise<Manifest | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Manifest);
}

/** Replaces a file atomically: concurrent readers see the old or the new content, never a part. */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${randomUUID()}.part`;
  await writeFile(part, content);
  await rename(part, file);
}
