import { resolve } from 'node:path';
import type { PluginBuild } from 'esbuild';

/** Leads imports that end in a suffix, such as `?json`, to a namespace of their own, as the absolute path of the file before it. */
export function resolveSuffix({ onResolve }: Pick<PluginBuild, 'onResolve'>, suffix: string, namespace: string): void {
  onResolve({ filter: new RegExp(`\\?${suffix}$`) }, ({ path, resolveDir }) => ({
    path: resolve(resolveDir, path.slice(0, -`?${suffix}`.length)),
    namespace,
  }));
}
