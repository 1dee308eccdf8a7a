import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environments, type FunctionName } from '../../functions/shared/environment.ts';
import { type FunctionBundle, projectRoot } from '../../infra/synth/bundle.ts';
import type { Template, TemplateResource } from '../../infra/synth/render-template.ts';
import { type Synthesis, synthesize } from '../../infra/synth/synthesize.ts';

/** In the build directory, so that test files share synthesized templates. */
const outdir = join(projectRoot, '.build', 'stand-ins');

export const functionNames = Object.keys(environments) as FunctionName[];

/** Writes a bundle that does nothing for each function. A template contains only the hash of the code. */
export function standInBundles(): Map<string, FunctionBundle> {
  return new Map(
    functionNames.map((name, index) => {
      const directory = join(outdir, name);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'index.js'), 'exports.handler = async () => ({});\n');
      return [name, { directory, hash: index.toString(16).padStart(64, '0') }];
    }),
  );
}

/** A value for each setting with which a company makes the stack follow its rules. */
export const companySettings = {
  domain: {
    name: 'videos.example.com',
    certificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/5f0b5c0c-8f5e-4d8a-9a54-0c2b6a3f7a11',
    basePath: 'wan',
  },
  kmsKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/1f2e3d4c-5b6a-4788-9a0b-c1d2e3f4a5b6',
  permissionsBoundary: 'arn:aws:iam::000000000000:policy/platform/boundary',
  tags: { team: 'media', 'cost-center': '4711' },
  accessLogBucket: 'company-logs',
  retention: { videos: 90, inputs: 60, drops: 30 },
  dashboard: false,
} as const;

/** Synthesizes the template for a context, with bundles that do nothing. */
export const synthesizeStandIns = (context: Record<string, unknown> = {}): Promise<Synthesis> =>
  synthesize({ context, outdir, bundles: standInBundles() });

export interface Found {
  readonly id: string;
  readonly resource: TemplateResource;
  // biome-ignore lint/suspicious/noExplicitAny: tests read the properties of a template at any depth.
  readonly properties: any;
}

/** Returns the resources of a type. */
export function resourcesOf(template: Template, type: string): Found[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === type)
    .map(([id, resource]) => ({ id, resource, properties: resource.Properties ?? {} }));
}

/** Returns a state machine's definition. References to functions become ARNs, other references become names. */
export function definitionOf({ Resources }: Template, id = 'StateMachine'): { StartAt: string; States: object } {
  const { DefinitionString } = Resources[id]!.Properties as {
    DefinitionString: { 'Fn::Join': [string, unknown[]] };
  };
  const parts = DefinitionString['Fn::Join'][1] as (string | { Ref: string })[];
  const written = ({ Ref }: { Ref: string }): string => {
    if (Ref === 'AWS::Partition') return 'aws';
    return Resources[Ref]?.Type === 'AWS::Lambda::Alias'
      ? `arn:aws:lambda:eu-central-1:123456789012:function:${Ref}`
      : Ref;
  };
  return JSON.parse(parts.map((part) => (typeof part === 'string' ? part : written(part))).join(''));
}

/** Formats a value of a template with its references: `<VideosTable.Arn>/index/by_owner`. */
export function flatten(value: unknown): string {
  if (typeof value === 'string') return value;
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (reference['Fn::Join']) return reference['Fn::Join'][1].map(flatten).join(reference['Fn::Join'][0]);
  if (reference['Fn::GetAtt']) return `<${reference['Fn::GetAtt'].join('.')}>`;
  if (reference.Ref) return `<${reference.Ref}>`;
  throw new Error(`Not a reference: ${JSON.stringify(value)}`);
}

/** Returns one or several values as a list. */
export const listOf = <Value>(value: Value | Value[]): Value[] => (Array.isArray(value) ? value : [value]);
