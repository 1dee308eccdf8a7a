import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FunctionBundle } from '../../../infra/synth/bundle.ts';
import { renderTemplate } from '../../../infra/synth/render-template.ts';
import { synthesize } from '../../../infra/synth/synthesize.ts';

// The only module that loads the CDK.
vi.mock('../../../infra/synth/render-template.ts', () => ({
  renderTemplate: vi.fn((_cdkJson: string, _context: unknown, bundles: Map<string, FunctionBundle>) => ({
    Resources: {
      Table: { Type: 'AWS::DynamoDB::Table' },
      ...Object.fromEntries(
        [...bundles].map(([name, { directory }]) => [
          `${name}Function`,
          { Type: 'AWS::Lambda::Function', Metadata: { 'aws:asset:path': directory } },
        ]),
      ),
    },
  })),
}));

const bundles = new Map([
  ['submit', { directory: '/code/submit', hash: 'a1' }],
  ['sweep', { directory: '/code/sweep', hash: 'b2' }],
]);

let root: string;
beforeEach(async () => {
  vi.mocked(renderTemplate).mockClear();
  root = await mkdtemp(join(tmpdir(), 'firstframe-synthesize-'));
  await mkdir(join(root, 'infra'));
  await writeFile(join(root, 'infra/stack.ts'), '');
  await writeFile(join(root, 'cdk.json'), '{"context":{}}');
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Calls `synthesize` with each of the options. @returns how many templates have been rendered in the test */
async function rendered(...calls: Parameters<typeof synthesize>[0][]): Promise<number> {
  for (const call of calls) await synthesize({ root, bundles, ...call });
  return vi.mocked(renderTemplate).mock.calls.length;
}

describe('a synthesis', () => {
  test('is rendered once for the same sources, code and context', async () => {
    expect(await rendered({}, {}, {})).toBe(1);
  });

  test('is rendered and cached for each context', async () => {
    const other = { context: { logRetentionDays: 7 } };
    expect(await rendered(other, {}, other, {})).toBe(2);
    expect(vi.mocked(renderTemplate).mock.calls[0]![1]).toEqual({ logRetentionDays: 7 });
  });

  test.each(['infra/stack.ts', 'infra/new.ts', 'functions/shared/errors.ts', 'cdk.json', 'package-lock.json'])(
    'is rendered again when %s changes',
    async (path) => {
      await rendered({});
      await mkdir(join(root, 'functions/shared'), { recursive: true });
      await writeFile(join(root, path), '{"context":{"changed":true}}');
      expect(await rendered({}, {})).toBe(2);
    },
  );

  test('is rendered again for other code', async () => {
    const changed = new Map(bundles).set('sweep', { directory: '/code/sweep', hash: 'c3' });
    expect(await rendered({}, { bundles: changed })).toBe(2);
  });

  test('has the code directory of each function, rendered or cached', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { functions, assetDirectory } = await synthesize({ root, bundles });
      expect(functions).toEqual({
        submitFunction: { name: 'submit', directory: '/code/submit', hash: 'a1' },
        sweepFunction: { name: 'sweep', directory: '/code/sweep', hash: 'b2' },
      });
      expect(assetDirectory('sweepFunction')).toBe('/code/sweep');
      expect(assetDirectory('b2')).toBe('/code/sweep');
      expect(() => assetDirectory('Table')).toThrow('The stack has no function Table.');
    }
  });

  test('is not cached if it failed', async () => {
    vi.mocked(renderTemplate).mockImplementationOnce(() => {
      throw new Error('region = "tokyo"');
    });
    const invalid = { root, bundles, context: { region: 'tokyo' } };
    await expect(synthesize(invalid)).rejects.toThrow('region = "tokyo"');
    expect(await rendered(invalid)).toBe(2);
  });
});
