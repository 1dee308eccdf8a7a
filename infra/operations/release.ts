import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../synth/bundle.ts';
import type { Template } from '../synth/render-template.ts';
import { synthesize } from '../synth/synthesize.ts';
import { isPromised, type Release, upgradeFaults } from './upgrade-faults.ts';

/** What the last release deployed, against which every change is held (test/infra/upgrade.test.ts). */
export const releaseFile = join(projectRoot, 'infra', 'operations', 'released.json');

export const readRelease = async (): Promise<Release> => JSON.parse(await readFile(releaseFile, 'utf8')) as Release;

/** Of a template what the promise is about, without what changes with each line of code: hashes of bundles, and versions named by them. */
export function lasting({ Resources }: Template): Template {
  return {
    Resources: Object.fromEntries(
      Object.entries(Resources)
        .filter(([, resource]) => isPromised(resource))
        .map(([id, { Metadata, Properties, ...resource }]) => {
          const { Code, Environment, FunctionVersion, DeploymentId, ...properties } = Properties ?? {};
          return [id, { ...resource, Properties: properties }];
        }),
    ),
  };
}

/**
 * `npm run release -- VERSION [--retired ID,ID]`: writes down what a release deploys.
 * @throws Error when deployments of the last one could not be upgraded to it
 */
async function main([version, flag, ids = '']: string[]): Promise<void> {
  if (!version || (flag !== undefined && flag !== '--retired')) {
    throw new Error(
      'Say which version: npm run release -- 1.2.0, perhaps with --retired and logical ids of functions.',
    );
  }
  const { template } = await synthesize();
  const last = await readRelease().catch(() => undefined);
  const faults = last ? upgradeFaults(last, template) : [];
  if (faults.length > 0) throw new Error(`${last?.version} can't be upgraded to this:\n  ${faults.join('\n  ')}`);
  const release: Release = { version, retired: ids.split(',').filter(Boolean), template: lasting(template) };
  await writeFile(releaseFile, `${JSON.stringify(release, null, 1)}\n`);
  console.log(`The template of ${version} is written down. Commit it with the release's tag.`);
}

if (process.argv[1] === import.meta.filename) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
