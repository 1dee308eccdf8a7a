import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { compileFunction } from 'node:vm';
import type { BuildOptions, Plugin, PluginBuild } from 'esbuild';

/** Options to bundle a module that runs at build time and is not deployed. */
const options = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  logLevel: 'silent',
  write: false,
} as const satisfies BuildOptions;

/** Loads packages from node_modules, and only if they are used: few are, apart from zod. */
const installedPackages: Plugin = {
  name: 'installed-packages',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path, external: true, sideEffects: false },
    ),
};

/**
 * `import text from '../document.ts?json'` imports the default export of a module as JSON text. The module runs once, when the
 * functions are bundled, so the module and its imports do not slow down a cold start.
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

/** Runs a module and returns its default export. @throws Error if it has none, since JSON has no undefined */
function defaultExportOf(code: string, file: string): unknown {
  const module: { exports: { default?: unknown } } = { exports: {} };
  compileFunction(code, ['module', 'exports', 'require'])(module, module.exports, createRequire(file));
  if (module.exports.default === undefined) throw new Error(`${file} has no default export.`);
  return module.exports.default;
}

/** Resolves imports that end in a suffix such as `?json` to the file's absolute path in the given namespace. */
export function resolveSuffix({ onResolve }: Pick<PluginBuild, 'onResolve'>, suffix: string, namespace: string): void {
  onResolve({ filter: new RegExp(`\\?${suffix}$`) }, ({ path, resolveDir }) => ({
    path: resolve(resolveDir, path.slice(0, -`?${suffix}`.length)),
    namespace,
  }));
}
