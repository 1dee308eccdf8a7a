import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle, type FunctionBundle, projectRoot, writeAtomically } from './bundle.ts';
import { hashFiles, hashOf, listFiles } from './content-hash.ts';
import type { Template } from './render-template.ts';

export interface SynthesizedFunction extends FunctionBundle {
  /** A `FunctionName` of `functions/shared/environment.ts`. */
  readonly name: string;
}

export interface Synthesis {
  readonly template: Template;
  /** By the logical id of the AWS::Lambda::Function. */
  readonly functions: Readonly<Record<string, SynthesizedFunction>>;
  /**
   * Returns the directory of a function's code by its logical id or its code's hash.
   * @throws Error if the stack has no such function
   */
  assetDirectory(logicalIdOrHash: string): string;
}

export interface SynthesizeOptions {
  /** Settings as on the command line (`-c`), which override those of cdk.json. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** @default - the project */
  readonly root?: string;
  /** The directory of bundles and templates. @default `<root>/.build` */
  readonly outdir?: string;
  /** @default - the bundles of the root, built if necessary */
  readonly bundles?: ReadonlyMap<string, FunctionBundle>;
}

/** The inputs of a template besides bundles and context. */
const sources = ['infra', 'functions', 'cdk.json', 'catalogue.json', 'package-lock.json'];

/**
 * Synthesizes the stack's template in this process, without the CLI or an AWS account. Returns a cached template if the sources
 * have not changed, without loading the CDK.
 * @throws Error for an invalid configuration
 */
export async function synthesize({
  context = {},
  root = projectRoot,
  outdir = join(root, '.build'),
  bundles,
}: SynthesizeOptions = {}): Promise<Synthesis> {
  const code = bundles ?? (await bundle({ root, outdir }));
  const inputs = hashOf(JSON.stringify([await hashFiles(root, await listFiles(root, sources)), context, [...code]]));
  const file = join(outdir, 'templates', `${hashOf(JSON.stringify(context)).slice(0, 16)}.json`);

  const cached = await readCached(file);
  if (cached?.inputs === inputs) return synthesisOf(cached.template, code);

  const [{ renderTemplate }, { readCatalogueFile }] = await Promise.all([
    import('./render-template.ts'),
    import('./catalogue-file.ts'),
  ]);
  const template = renderTemplate(
    { cdkJson: await readFile(join(root, 'cdk.json'), 'utf8'), catalogue: await readCatalogueFile(root) },
    context,
    code,
  );
  await writeAtomically(file, JSON.stringify({ inputs, template } satisfies Cached));
  return synthesisOf(template, code);
}

interface Cached {
  readonly inputs: string;
  readonly template: Template;
}

async function readCached(file: string): Promise<Cached | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Cached);
}

function synthesisOf(template: Template, bundles: ReadonlyMap<string, FunctionBundle>): Synthesis {
  const byDirectory = new Map([...bundles].map(([name, code]) => [code.directory, { name, ...code }]));
  const functions: Record<string, SynthesizedFunction> = {};
  for (const [logicalId, { Type, Metadata }] of Object.entries(template.Resources)) {
    const code = Type === 'AWS::Lambda::Function' && byDirectory.get(String(Metadata?.['aws:asset:path']));
    if (code) functions[logicalId] = code;
  }
  return {
    template,
    functions,
    assetDirectory(logicalIdOrHash) {
      const found = functions[logicalIdOrHash] ?? Object.values(functions).find(({ hash }) => hash === logicalIdOrHash);
      if (!found) throw new Error(`The stack has no function ${logicalIdOrHash}.`);
      return found.directory;
    },
  };
}
