import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import type { BuildOptions, Plugin, PluginBuild } from 'esbuild';

/** How a module is put together to be run here and now: nothing of it is deployed. */
const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  logLevel: 'silent',
  write: false,
} as const satisfies BuildOptions;

/** Packages are loaded from where they are installed, and only if something of them is used: hardly any of them is, beside zod. */
const installedPackages: Plugin = {
  name: 'installed-packages',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true, sideEffects: false },
    ),
};

/**
 * `import text from '../document.ts?json'`: what a module exports by default, as the text of its JSON. The module runs once, when
 * the functions are bundled, so neither it nor what it imports weighs on a function's start.
 */
export const jsonTexts: Plugin = {
  name: 'json-texts',
  setup(build) {
    const { onLoad, esbuild } = build;
    resolveSuffix(build, 'json', 'json-text');
    onLoad({ filter: /./, namespace: 'json-text' }, async ({ path }) => {
      const { outputFiles } = await esbuild.build({ ...options, entryPoints: [path], plugins: [installedPackages] });
      return { contents: JSON.stringify(defaultExportOf(outputFiles[0]!.text, path)), loader: 'text' };
    });
  },
};

/** @throws Error for a module that has none: JSON has no undefined */
function defaultExportOf(code: string, file: string): unknown {
  const module: { exports: { default?: unknown } } = { exports: {} };
  compileFunction(code, ['module', 'exports', 'require'])(module, module.exports, createRequire(file));
  if (module.exports.default === undefined) throw new Error(`${file} exports nothing by default.`);
  return module.exports.default;
}

/** Leads imports that end in a suffix, such as `?json`, to a namespace of their own, as the absolute path of the file before it. */
export function resolveSuffix({ onResolve }: Pick<PluginBuild, 'onResolve'>, suffix: string, namespace: string): void {
  onResolve({ filter: new RegExp(`\\?${suffix}$`) }, ({ path, resolveDir }) => ({
    path: resolve(resolveDir, path.slice(0, -`?${suffix}`.length)),
    namespace,
  }));
}
