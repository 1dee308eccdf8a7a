import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundle, type FunctionBundle, projectRoot } from '../../infra/synth/bundle.ts';
import { readMappedBundle } from '../../infra/synth/source-map.ts';

const directory = path.join(projectRoot, '.build', 'footprint');

/** V8's coverage of a script. The first function is the script's body. */
interface ScriptCoverage {
  functions: { functionName: string; ranges: { startOffset: number; count: number }[] }[];
}

/** Returns code that replaces a bundle: it runs the bundle and appends its coverage to a file. */
const wrapper = (bundleFile: string, coverageFile: string): string => `
const { appendFileSync } = require('node:fs');
const { Session } = require('node:inspector');
const { pathToFileURL } = require('node:url');
const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
const { handler } = require(${JSON.stringify(bundleFile)});
const url = pathToFileURL(${JSON.stringify(bundleFile)}).href;
exports.handler = async (event, context) => {
  try {
    return await handler(event, context);
  } finally {
    session.post('Profiler.takePreciseCoverage', (error, taken) => {
      const script = taken.result.find((each) => each.url === url);
      if (script) appendFileSync(${JSON.stringify(coverageFile)}, JSON.stringify(script) + '\\n');
    });
  }
};
`;

const coverageFile = (name: string): string => path.join(directory, `${name}.jsonl`);

/** Wraps each deployed bundle to record its coverage. Deletes the coverage of earlier runs. */
export async function coveredBundles(): Promise<Map<string, FunctionBundle>> {
  await rm(directory, { recursive: true, force: true });
  const bundles = await bundle();
  const covered = [...bundles].map(async ([name, { directory: original, hash }]) => {
    const wrapped = path.join(directory, name);
    await mkdir(wrapped, { recursive: true });
    const code = wrapper(path.join(original, 'index.js'), coverageFile(name));
    await writeFile(path.join(wrapped, 'index.js'), code);
    return [name, { directory: wrapped, hash }] as const;
  });
  return new Map(await Promise.all(covered));
}

/** Waits until a function has returned once, which may be after its video has succeeded. */
export async function hasReturned(name: string): Promise<void> {
  for (let tries = 0; tries < 100 && !existsSync(coverageFile(name)); tries++) await sleep(100);
}

/**
 * Returns the files of `functions/` with at least one function that ran, apart from the module's body, in any of these Lambda
 * functions.
 */
export async function filesThatRan(names: readonly string[]): Promise<string[]> {
  const files = await Promise.all(names.map(filesOfFunction));
  return [...new Set(files.flat())].sort();
}

async function filesOfFunction(name: string): Promise<string[]> {
  const [{ code, sourceOf }, text] = await Promise.all([readMappedBundle(name), readFile(coverageFile(name), 'utf8')]);
  const starts = lineStarts(code);
  const scripts = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ScriptCoverage);
  // Excludes the bundler's getter of the handler.
  const isExport = (offset: number) => /^handler:\(\)=>/.test(code.slice(offset - 'handler:'.length, offset + 4));
  const ran = scripts.flatMap(({ functions }) =>
    functions.filter(
      ({ ranges: [range] }) => range!.count > 0 && range!.startOffset > 0 && !isExport(range!.startOffset),
    ),
  );
  return [...new Set(ran.map(({ ranges }) => ranges[0]!.startOffset))].flatMap((offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    const source = sourceOf(line + 1, offset - starts[line]! + 1);
    return source?.file.startsWith('functions/') ? [source.file] : [];
  });
}

const lineStarts = (code: string): number[] => [0, ...[...code.matchAll(/\n/g)].map(({ index }) => index + 1)];
