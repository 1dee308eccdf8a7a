import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'esbuild';
import { hashFiles, hashOf, listFiles } from './content-hash.ts';
import { jsonTexts, resolveSuffix } from './json-text.ts';

/** A Lambda's code, ready to run or to deploy. */
export interface FunctionBundle {
  /** Absolute path of a directory that holds `index.js` alone: CommonJS with an export `handler`. */
  readonly directory: string;
  /** SHA-256 of `index.js`: a function is deployed again only if its own code changed. */
  readonly hash: string;
}

export interface BundleOptions {
  /** @default - the project */
  readonly root?: string;
  /** Function name → file, relative to the root. @default - every `functions/**\/<name>.lambda.ts` */
  readonly entries?: Readonly<Record<string, string>>;
  /** @default `<root>/.build` */
  readonly outdir?: string;
}

/** The source map of a function's bundle: outside the bundle's directory, all of which is deployed. */
export const sourceMapOf = (name: string, outdir = join(projectRoot, '.build')): string =>
  join(outdir, 'source-maps', `${name}.js.map`);

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** What a bundle can be made of, relative to the root. */
const sources = ['functions', 'web', 'package.json', 'package-lock.json'];

/**
 * One build for all functions, since starting one by one costs six times as much. Minified CommonJS with everything inside is
 * the fastest cold start measured; thanks to `sideEffects` in package.json, modules of which nothing is used are left out. Source maps
 * are kept beside the bundles and not deployed: they would be most of the package.
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

/** What runs in a page: for browsers of the last few years, and a script as a module, so that nothing of it is global. */
const browserOptions = {
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  // Control characters in strings are no part of valid HTML.
  charset: 'ascii',
  logLevel: 'silent',
  write: false,
} as const satisfies BuildOptions;

/** `import script from '../page.ts?bundled'`: a page's script or style sheet with all that it imports, as text. */
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
  /** Hash of the sources, the entries and the options. */
  readonly inputs: string;
  /** Hash of each function's `index.js`. */
  readonly functions: Record<string, string>;
}

/**
 * Bundles the Lambdas into `<outdir>/functions/<name>/index.js`. If no source changed since the last time, nothing is built.
 * @throws the bundler's error, which names file and line.
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
  await writeWhole(manifestFile, JSON.stringify(manifest));
  return bundlesOf(outdir, manifest);
}

/** The functions' entries among a list of files, by name. */
function lambdaEntries(files: readonly string[]): Record<string, string> {
  const suffix = '.lambda.ts';
  const entries: Record<string, string> = {};
  for (const file of files.filter((path) => path.startsWith('functions/') && path.endsWith(suffix))) {
    const name = basename(file, suffix);
    if (entries[name])
      throw new Error(`Two functions are named ${name}: ${entries[name]} and ${file}. Rename one of them.`);
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
  // The project's own package.json says ESM; these files are not.
  await writeWhole(join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
  const named = outputFiles.map(({ path, contents }) => ({ path, contents, name: basename(dirname(path)) }));
  const maps = named.filter(({ path }) => path.endsWith('.map'));
  const code = named.filter(({ path }) => !path.endsWith('.map'));
  await Promise.all([
    ...code.map(({ path, contents }) => writeWhole(path, contents)),
    ...maps.map(({ name, contents }) => writeWhole(sourceMapOf(name, outdir), contents)),
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

/** Readers of the file, such as another run at the same time, see the old content or the new, never a part. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${randomUUID()}.part`;
  await writeFile(part, content);
  await rename(part, file);
}
