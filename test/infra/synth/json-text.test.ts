import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundle } from '../../../infra/synth/bundle.ts';

const files: Record<string, string> = {
  'package.json': '{"type":"module"}',
  'package-lock.json': '{}',
  'functions/api/one.lambda.ts': "import text from './facts.ts?json';\nexport const handler = async () => text;\n",
  'functions/api/facts.ts':
    "import { createHash } from 'node:crypto';\nimport { weight } from './weight.ts';\nexport default { weight: weight * 2, hash: createHash('md5').update('').digest('hex'), none: undefined };\n",
  'functions/api/weight.ts': 'export const weight = 21;\n',
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'firstframe-json-text-'));
  for (const [path, content] of Object.entries(files)) await write(path, content);
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}
async function handlerResult(): Promise<string> {
  const { directory } = (await bundle({ root })).get('one')!;
  const { handler } = createRequire(import.meta.url)(directory) as { handler: () => Promise<string> };
  return handler();
}

describe('import text from "./module.ts?json"', () => {
  test('imports the JSON of the default export, created when the function is bundled', async () => {
    expect(await handlerResult()).toBe('{"weight":42,"hash":"d41d8cd98f00b204e9800998ecf8427e"}');
  });

  test('is rebuilt after a change of an import of the module', async () => {
    const before = (await bundle({ root })).get('one')!.hash;
    await write('functions/api/weight.ts', 'export const weight = 22;\n');
    expect((await bundle({ root })).get('one')!.hash).not.toBe(before);
    expect(await handlerResult()).toContain('"weight":44');
  });

  test('fails for a module without a default export', async () => {
    await write('functions/api/facts.ts', 'export const facts = 1;\n');
    await expect(bundle({ root })).rejects.toThrow('has no default export');
  });
});
