import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { readConfiguration } from '../config.ts';
import { FirstframeStack } from '../stack.ts';
import type { FunctionBundle } from './bundle.ts';

/** What the CLI would set, but for the copies of the assets: whoever reads the template runs the bundles where they are. */
const inProcess = {
  'aws:cdk:enable-asset-metadata': true,
  'aws:cdk:disable-asset-staging': true,
  'aws:cdk:disable-stack-trace': true,
};

/**
 * The stack as a template.
 * @param cdkJson the text of cdk.json, for its context
 * @param given context over that of cdk.json
 */
export function renderTemplate(
  cdkJson: string,
  given: Readonly<Record<string, unknown>>,
  bundles: ReadonlyMap<string, FunctionBundle>,
): Template {
  const { context } = JSON.parse(cdkJson) as { context: Record<string, unknown> };
  const outdir = mkdtempSync(join(tmpdir(), 'firstframe-synth-'));
  try {
    // The built-in check of the template takes 1.8 s of its 1.9; `cdk synth` makes it.
    const app = new App({
      outdir,
      builtinCloudFormationValidation: false,
      analyticsReporting: false,
      context: { ...context, ...given, ...inProcess },
    });
    const stack = new FirstframeStack(app, 'Firstframe', {
      configuration: readConfiguration({ ...context, ...given }),
      bundles,
    });
    return app.synth().getStackByName(stack.stackName).template as Template;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** A CloudFormation template, as far as every reader needs it. */
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
