import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Import {
  /** Relative to the project, as the other one. */
  readonly from: string;
  /** A file of the project, or a package's name. */
  readonly to: string;
  /** Types alone: nothing of it is left when the code runs. */
  readonly typeOnly: boolean;
}

const sources = ['functions', 'infra', 'local', 'web', 'bench', 'test'].flatMap((directory) => {
  try {
    return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.m?ts$/.test(file))
      .map((file) => ({ file: join(directory, file), text: readFileSync(join(root, directory, file), 'utf8') }));
  } catch {
    return []; // A part that is not there yet.
  }
});

const statement = /^(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

const imports: Import[] = sources.flatMap(({ file, text }) =>
  [...text.matchAll(statement)].map(([, type, names = '', fixed, dynamic]) => {
    const target = (fixed ?? dynamic)!;
    const braces = /^\{(.*)\}$/s.exec(names)?.[1];
    const each = braces?.split(',').filter((name) => name.trim() !== '');
    return {
      from: file,
      to: target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)) : target,
      typeOnly: type !== undefined || each?.every((name) => /^\s*type\s/.test(name)) === true,
    };
  }),
);

/** The imports from one part into another, as `from → to`. */
const between = (from: RegExp, to: RegExp, allowed: (found: Import) => boolean = () => false): string[] =>
  imports
    .filter((found) => from.test(found.from) && to.test(found.to) && !allowed(found))
    .map(({ from, to }) => `${from} → ${to}`);

const typesOnly = ({ typeOnly }: Import): boolean => typeOnly;

/** What makes the stack. Below `infra/operations/` lie an operator's commands: they work on a deployed stack and are no part of it. */
const stack = /^infra\/(?!operations\/)/;

describe('who may import whom', () => {
  test('is read from the sources', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(between(/^infra\/app\.ts$/, /^infra\/stack\.ts$/)).toEqual(['infra/app.ts → infra/stack.ts']);
  });

  test('deployed code knows nothing of what deploys, emulates or tests it', () => {
    expect(between(/^functions\//, /^(infra|local|test)\//)).toEqual([]);
    expect(between(/^functions\//, /^(aws-cdk-lib|constructs|esbuild|dynalite|vitest)/)).toEqual([]);
  });

  test('entries are imported by nothing', () => {
    expect(between(/./, /\.lambda\.ts$/, typesOnly)).toEqual([]);
  });

  test('the stack takes types and constants from the functions', () => {
    // Tables, and what follows from them alone: environments, error names, models, regions, prices.
    const constants =
      /^functions\/(shared\/(environment|errors|metric-names|table-schema)|wan\/(catalogue|changes|regions|prices))\.ts$/;
    expect(between(stack, /^functions\//, (found) => found.typeOnly || constants.test(found.to))).toEqual([]);
    expect(between(stack, /^(local|test|web|infra\/operations)\//)).toEqual([]);
  });

  test('the emulator of Wan imports nothing of the functions, so that it cannot share their mistakes', () => {
    expect(between(/^local\/wan\//, /^(functions|infra|test)\/|^local\/(?!wan\/)/)).toEqual([]);
  });

  test('the console takes types alone', () => {
    expect(between(/^web\//, /^(functions|infra|local|test)\//, typesOnly)).toEqual([]);
  });

  test('nothing but tests imports tests', () => {
    expect(between(/^(functions|infra|local|web|bench)\//, /^test\//)).toEqual([]);
  });

  test('benches run the rest, and nothing but their tests knows them', () => {
    expect(between(/^(functions|infra|local|web)\//, /^bench\//)).toEqual([]);
    // The virtual clock serves every test of executions.
    expect(between(/^test\/(?!bench\/)/, /^bench\/(?!simulation\/clock\.ts$)/)).toEqual([]);
    expect(between(/^bench\//, /^web\//)).toEqual([]);
  });

  test('only the bundler loads esbuild, and only what makes templates loads the CDK', () => {
    expect(between(/^(functions|infra|local|web)\//, /^esbuild$/, typesOnly)).toEqual([
      'infra/synth/bundle.ts → esbuild',
    ]);
    const light = /^(infra\/(config|synth\/(bundle|content-hash|synthesize))|local\/.*|functions\/.*)\.ts$/;
    expect(between(light, /^(aws-cdk-lib|constructs|cdk-nag)/)).toEqual([]);
  });
});

/** The folders of `functions/` from top to bottom: each imports from itself and from those below it. */
const layers = [
  'entries',
  'api',
  'maintenance',
  'drops',
  'workflow',
  'submissions',
  'polling',
  'queue',
  'events',
  'ledger',
  'video',
  'wan',
  'media',
  'shared',
];

describe('the layers of functions/', () => {
  const layerOf = (file: string): number => layers.indexOf(/^functions\/([^/]+)\//.exec(file)?.[1] ?? '');

  test('every file lies in one of them', () => {
    const files = sources.map(({ file }) => file).filter((file) => file.startsWith('functions/'));
    expect(files.filter((file) => layerOf(file) === -1)).toEqual([]);
  });

  test('each imports only from itself and from those below, types included', () => {
    const upwards = imports.filter(
      ({ from, to }) => layerOf(from) !== -1 && layerOf(to) !== -1 && layerOf(to) < layerOf(from),
    );
    expect(upwards.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });
});

test('no import circle exists anywhere, types included', () => {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to.replace(/\?.*$/, '')]);
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    else if (!done.has(file)) for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

describe('in the functions', () => {
  const withText = (pattern: RegExp): string[] =>
    sources.filter(({ file, text }) => file.startsWith('functions/') && pattern.test(text)).map(({ file }) => file);

  test('clients are built in one place, for the entries alone', () => {
    const platform = 'functions/entries/platform.ts';
    expect(withText(/\bnew [A-Z]\w*Client\(/)).toEqual([platform]);
    const others = (found: Import) => found.typeOnly || found.from.endsWith('.lambda.ts');
    expect(between(/./, /^functions\/entries\/platform\.ts$/, others)).toEqual([]);
  });

  test('an entry is a name, a compose and clients: no code that a bench or a test would have to copy', () => {
    const entries = sources.filter(({ file }) => file.endsWith('.lambda.ts'));
    expect(entries.length).toBeGreaterThan(10);
    for (const { file, text } of entries) {
      const statements = text.replaceAll(/^import .*;$/gm, '').trim();
      expect(`${file}: ${statements}`).toMatch(/^\S+: export const handler = (entry|compose[A-Z]\w*)\([^;]*\);$/);
      expect(statements).not.toMatch(/=>|\bfunction\b/);
    }
  });

  test('the environment is read in one place, by the entries', () => {
    expect(withText(/\bprocess\.env\b/)).toEqual(['functions/shared/environment.ts']);
    expect(withText(/\breadEnvironment\(/).filter((file) => !file.endsWith('.lambda.ts'))).toEqual([
      'functions/entries/platform.ts',
    ]);
  });
});

describe('in the stack', () => {
  test('no construct reads the environment or the context: the configuration is handed down', () => {
    const readers = sources.filter(
      ({ file, text }) => stack.test(file) && /process\.env|tryGetContext|getAllContext/.test(text),
    );
    expect(readers.map(({ file }) => file)).toEqual(['infra/app.ts']);
  });
});
