import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FunctionBundle } from '../../../infra/synth/bundle.ts';
import { renderTemplate } from '../../../infra/synth/render-template.ts';
import { synthesize } from '../../../infra/synth/synthesize.ts';

// The one module that loads the CDK: what does not call it does not load it.
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

/** How many syntheses were made, after some more were asked for one after the other. */
async function rendered(...calls: Parameters<typeof synthesize>[0][]): Promise<number> {
  for (const call of calls) await synthesize({ root, bundles, ...call });
  return vi.mocked(renderTemplate).mock.calls.length;
}

describe('a synthesis', () => {
  test('is made once for the same sources, code and context', async () => {
    expect(await rendered({}, {}, {})).toBe(1);
  });

  test('is made for each context, and all are kept', async () => {
    const other = { context: { logRetentionDays: 7 } };
    expect(await rendered(other, {}, other, {})).toBe(2);
    expect(vi.mocked(renderTemplate).mock.calls[0]![1]).toEqual({ logRetentionDays: 7 });
  });

  test.each(['infra/stack.ts', 'infra/new.ts', 'functions/shared/errors.ts', 'cdk.json', 'package-lock.json'])(
    'is made anew when %s changes',
    async (path) => {
      await rendered({});
      await mkdir(join(root, 'functions/shared'), { recursive: true });
      await writeFile(join(root, path), '{"context":{"changed":true}}');
      expect(await rendered({}, {})).toBe(2);
    },
  );

  test('is made anew for other code', async () => {
    const changed = new Map(bundles).set('sweep', { directory: '/code/sweep', hash: 'c3' });
    expect(await rendered({}, { bundles: changed })).toBe(2);
  });

  test('tells where the code of each function is, made or read back', async () => {
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

  test('that failed is not kept', async () => {
    vi.mocked(renderTemplate).mockImplementationOnce(() => {
      throw new Error('region = "tokyo"');
    });
    const wrong = { root, bundles, context: { region: 'tokyo' } };
    await expect(synthesize(wrong)).rejects.toThrow('region = "tokyo"');
    expect(await rendered(wrong)).toBe(2);
  });
});
