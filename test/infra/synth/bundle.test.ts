import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { environments, type FunctionName } from '../../../functions/shared/environment.ts';
import { errorNames } from '../../../functions/shared/errors.ts';
import { bundle, projectRoot } from '../../../infra/synth/bundle.ts';
import { functionNames } from '../support.ts';

const files: Record<string, string> = {
  'package.json': '{"type":"module"}',
  'package-lock.json': '{}',
  'functions/api/one.lambda.ts':
    "import { greeting } from '../shared/words.ts';\nimport page from '../../web/page.html';\nexport const handler = async () => greeting + page;\n",
  'functions/workflow/two.lambda.ts':
    "class Late extends Error { override readonly name = 'TooLate'; }\nexport const handler = async () => { throw new Late('no'); };\n",
  'functions/shared/words.ts': "export const greeting: string = 'hello ';\n",
  'web/page.html': '<p>page</p>',
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'firstframe-bundle-'));
  for (const [path, content] of Object.entries(files)) await write(path, content);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}
/** Loads a bundle without the module cache, since an earlier test may have loaded it with an environment. */
function load(directory: string): { handler: () => Promise<unknown> } {
  const require = createRequire(import.meta.url);
  delete require.cache[require.resolve(directory)];
  return require(directory);
}

describe('the bundler', () => {
  test('bundles each entry as a CommonJS handler, although the project is ESM', async () => {
    const bundles = await bundle({ root });
    expect([...bundles.keys()].sort()).toEqual(['one', 'two']);
    expect(bundles.get('one')!.directory).toBe(join(root, '.build/functions/one'));
    await expect(load(bundles.get('one')!.directory).handler()).resolves.toBe('hello <p>page</p>');
  });

  test("keeps an error's literal name", async () => {
    const bundles = await bundle({ root });
    await expect(load(bundles.get('two')!.directory).handler()).rejects.toMatchObject({ name: 'TooLate' });
  });

  test('builds nothing when nothing changed', async () => {
    const first = await bundle({ root });
    const file = join(root, '.build/functions/one/index.js');
    const { mtimeMs } = await stat(file);
    expect(await bundle({ root })).toEqual(first);
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
  });

  test.each(['functions/shared/words.ts', 'web/page.html'])(
    'rebuilds after a change of %s, and only affected functions get another hash',
    async (path) => {
      const before = await bundle({ root });
      await write(path, files[path]!.replace('hello', 'good day').replace('page', 'other'));
      const after = await bundle({ root });
      expect(after.get('one')!.hash).not.toBe(before.get('one')!.hash);
      expect(after.get('two')!.hash).toBe(before.get('two')!.hash);
    },
  );

  test.each(['package.json', 'package-lock.json'])('rebuilds after a new function or a change of %s', async (file) => {
    const built = async () => (await stat(join(root, '.build/functions/one/index.js'))).mtimeMs;
    await bundle({ root });
    const first = await built();
    await write(file, '{"type":"module","changed":true}');
    await bundle({ root });
    expect(await built()).toBeGreaterThan(first);
    await write('functions/api/three.lambda.ts', 'export const handler = async () => 3;\n');
    expect([...(await bundle({ root })).keys()]).toContain('three');
  });

  test.each(['functions/one', 'source-maps/one.js.map'])('rebuilds a deleted output: %s', async (path) => {
    await bundle({ root });
    await rm(join(root, '.build', path), { recursive: true });
    const bundles = await bundle({ root });
    await expect(load(bundles.get('one')!.directory).handler()).resolves.toBe('hello <p>page</p>');
    await expect(stat(join(root, '.build', path))).resolves.toBeDefined();
  });

  test('accepts custom entries and a custom output directory', async () => {
    const outdir = join(root, 'elsewhere');
    const bundles = await bundle({ root, outdir, entries: { uno: 'functions/api/one.lambda.ts' } });
    expect([...bundles.keys()]).toEqual(['uno']);
    await expect(load(join(outdir, 'functions/uno')).handler()).resolves.toBe('hello <p>page</p>');
  });

  test('rejects two functions with the same name', async () => {
    await write('functions/workflow/one.lambda.ts', 'export const handler = async () => 1;\n');
    await expect(bundle({ root })).rejects.toThrow(
      'Two functions have the name one: functions/api/one.lambda.ts and functions/workflow/one.lambda.ts',
    );
  });

  test('reports file and line of a syntax error, and keeps no output', async () => {
    await write('functions/api/one.lambda.ts', 'export const handler = ;\n');
    await expect(bundle({ root })).rejects.toThrow(/functions\/api\/one\.lambda\.ts:1:23/);
    await write('functions/api/one.lambda.ts', files['functions/api/one.lambda.ts']!);
    expect((await bundle({ root })).size).toBe(2);
  });
});

describe('the deployed bundles', () => {
  test('exist for each function with an environment', async () => {
    expect([...(await bundle()).keys()].sort()).toEqual([...functionNames].sort());
  });

  test('contain every error name that the state machine matches', async () => {
    const bundles = await bundle();
    const thrown = await Promise.all(
      ['create-task', 'check-task', 'archive-video'].map((name) =>
        readFile(join(bundles.get(name)!.directory, 'index.js'), 'utf8'),
      ),
    );
    for (const name of Object.values(errorNames)) expect(thrown.join('\n')).toMatch(new RegExp(`["'\`]${name}["'\`]`));
  });

  test('contain the clients that their entries name, and no others', async () => {
    const clients = { s3: 'S3', stepFunctions: 'SFN', sqs: 'SQS', secrets: 'Secrets Manager' };
    for (const [name, { directory }] of await bundle()) {
      const code = await readFile(join(directory, 'index.js'), 'utf8');
      const entry = await readFile(join(projectRoot, `functions/entries/${name}.lambda.ts`), 'utf8');
      for (const [client, service] of Object.entries(clients)) {
        const contains = code.includes(`serviceId??"${service}"`);
        expect({ name, client, contains }).toEqual({ name, client, contains: entry.includes(`${client}: ${client}(`) });
      }
    }
  });

  test('name each missing variable when they load', async () => {
    for (const [name, { directory }] of await bundle()) {
      if (Object.keys(environments[name as FunctionName].shape).length === 0) continue;
      expect(() => load(directory), name).toThrow(`Invalid environment of the function ${name}: `);
    }
  });

  test('need nothing but Node', async () => {
    // The SDK tries to load this module, which only multi-region access points need.
    const optional = '@aws-sdk/signature-v4-crt';
    const known = new Set([optional, ...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
    for (const { directory } of (await bundle()).values()) {
      const text = await readFile(join(directory, 'index.js'), 'utf8');
      const required = [...text.matchAll(/\brequire\("([\w@./:-]+)"\)/g)].map(([, name]) => name!);
      expect(required.filter((name) => !known.has(name))).toEqual([]);
    }
  });
});
