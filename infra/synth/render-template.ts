import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { readConfiguration } from '../config.ts';
import { FirstframeStack } from '../stack.ts';
import type { FunctionBundle } from './bundle.ts';

/** Context that the CLI would set. Assets are not copied: readers of the template use the bundles in place. */
const inProcess = {
  'aws:cdk:enable-asset-metadata': true,
  'aws:cdk:disable-asset-staging': true,
  'aws:cdk:disable-stack-trace': true,
};

/**
 * Renders the stack as a template.
 * @param cdkJson the text of cdk.json, for its context
 * @param catalogue the content of catalogue.json
 * @param overrides context that overrides that of cdk.json
 */
export function renderTemplate(
  { cdkJson, catalogue }: { cdkJson: string; catalogue: unknown },
  overrides: Readonly<Record<string, unknown>>,
  bundles: ReadonlyMap<string, FunctionBundle>,
): Template {
  const { context } = JSON.parse(cdkJson) as { context: Record<string, unknown> };
  const outdir = mkdtempSync(join(tmpdir(), 'firstframe-synth-'));
  try {
    // Built-in validation takes 1.8 of 1.9 s. `cdk synth` runs it.
    const app = new App({
      outdir,
      builtinCloudFormationValidation: false,
      analyticsReporting: false,
      context: { ...context, ...overrides, ...inProcess },
    });
    const stack = new FirstframeStack(app, 'Firstframe', {
      configuration: readConfiguration({ ...context, ...overrides }, catalogue),
      bundles,
    });
    return app.synth().getStackByName(stack.stackName).template as Template;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The parts of a CloudFormation template that readers use. */
export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}
