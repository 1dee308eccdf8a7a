import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../synth/bundle.ts';
import type { Template, TemplateResource } from '../synth/render-template.ts';
import { synthesize } from '../synth/synthesize.ts';

/** The resources of the last release, against which every change is compared (test/infra/upgrade.test.ts). */
export const releaseFile = join(projectRoot, 'infra', 'operations', 'released.json');

export const readRelease = async (): Promise<Release> => JSON.parse(await readFile(releaseFile, 'utf8')) as Release;

/** The resources of a release that an upgrade must keep. */
export interface Release {
  readonly version: string;
  /** Logical ids of functions that only earlier executions call, and that the next release may remove. */
  readonly retired: readonly string[];
  readonly template: Template;
}

/**
 * Types with state that a replacement loses: data, known addresses, running executions. Each has the properties whose change makes
 * CloudFormation replace it (AWS CloudFormation Template Reference, "Update requires: Replacement").
 */
const stateful: Readonly<Record<string, readonly string[]>> = {
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'LocalSecondaryIndexes', 'ImportSourceSpecification'],
  'AWS::SecretsManager::Secret': ['Name'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType', 'EncryptionConfiguration'],
  // Its id is part of the API's address.
  'AWS::ApiGateway::RestApi': [],
  'AWS::ApiGateway::Stage': ['StageName', 'RestApiId'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
};

/** Types that running executions use: they call functions by the aliases of the definition with which they were started. */
const called: Readonly<Record<string, readonly string[]>> = {
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Lambda::Alias': ['Name', 'FunctionName'],
};

/** Whether an upgrade must keep a resource. */
const mustBeKept = ({ Type }: TemplateResource): boolean => Type in stateful || Type in called;

/**
 * Returns what an upgrade from a release would destroy; empty for a safe one.
 * @param next the template of the upgrade
 */
export function upgradeIssues(released: Release, next: Template): string[] {
  return Object.entries(released.template.Resources).flatMap(([id, before]) => {
    const after = next.Resources[id];
    const fixed = stateful[before.Type] ?? called[before.Type];
    if (!fixed) return [];
    if (!after) return isRetired(released, id, before) ? [] : [`${id} (${before.Type}) would be deleted.`];
    if (after.Type !== before.Type) return [`${id} would become a ${after.Type}.`];
    return [...changes(id, before, after, fixed), ...weakened(id, before, after), ...indexChanges(id, before, after)];
  });
}

const isRetired = ({ retired }: Release, id: string, { Type, Properties }: TemplateResource): boolean =>
  (Type === 'AWS::Lambda::Function' && retired.includes(id)) ||
  (Type === 'AWS::Lambda::Alias' &&
    retired.includes((Properties as { FunctionName: { Ref: string } }).FunctionName.Ref));

const changes = (id: string, before: TemplateResource, after: TemplateResource, fixed: readonly string[]): string[] =>
  fixed
    .filter((name) => JSON.stringify(before.Properties?.[name]) !== JSON.stringify(after.Properties?.[name]))
    .map((name) => `${id} (${before.Type}) would be replaced because its ${name} changes.`);

function weakened(id: string, before: TemplateResource, after: TemplateResource): string[] {
  return (['DeletionPolicy', 'UpdateReplacePolicy'] as const)
    .filter((policy) => isRetained(before[policy]) && !isRetained(after[policy]))
    .map((policy) => `${id} (${before.Type}) would lose its ${policy} ${before[policy]}.`);
}

/** Also `RetainExceptOnCreate`. */
const isRetained = (policy: string | undefined): boolean => policy?.startsWith('Retain') ?? false;

/** DynamoDB creates or deletes one index per update; an index with another key is both. */
function indexChanges(id: string, before: TemplateResource, after: TemplateResource): string[] {
  const indexes = ({ Properties = {} }: TemplateResource) =>
    (Properties.GlobalSecondaryIndexes ?? []) as { IndexName: string; KeySchema: unknown; Projection: unknown }[];
  const keyOf = ({ KeySchema, Projection }: ReturnType<typeof indexes>[number]) =>
    JSON.stringify([KeySchema, Projection]);
  const old = new Map(indexes(before).map((index) => [index.IndexName, keyOf(index)]));
  const now = new Map(indexes(after).map((index) => [index.IndexName, keyOf(index)]));
  const changed = [...old].filter(([name, key]) => now.has(name) && now.get(name) !== key).map(([name]) => name);
  const made = [...now.keys()].filter((name) => !old.has(name));
  const gone = [...old.keys()].filter((name) => !now.has(name));
  return [
    ...[...changed, ...gone].map(
      (name) => `The index ${name} of ${id}, which code of the release uses, would be deleted.`,
    ),
    ...(made.length > 1
      ? [`${made.length} indexes of ${id} would be created in one update (${made.join(', ')}); DynamoDB creates one.`]
      : []),
  ];
}

/** Of a template what the promise is about, without what changes with each line of code: hashes of bundles, and versions named by them. */
export function statefulResources({ Resources }: Template): Template {
  return {
    Resources: Object.fromEntries(
      Object.entries(Resources)
        .filter(([, resource]) => mustBeKept(resource))
        .map(([id, { Metadata, Properties, ...resource }]) => {
          const { Code, Environment, FunctionVersion, DeploymentId, ...properties } = Properties ?? {};
          return [id, { ...resource, Properties: properties }];
        }),
    ),
  };
}

/**
 * `npm run release -- VERSION [--retired ID,ID]`: writes down what a release deploys.
 * @throws Error when deployments of the last one could not be upgraded to it
 */
async function main([version, flag, ids = '']: string[]): Promise<void> {
  if (!version || (flag !== undefined && flag !== '--retired')) {
    throw new Error('Usage: npm run release -- VERSION [--retired LOGICAL_ID,…]');
  }
  const { template } = await synthesize();
  const last = await readRelease().catch(() => undefined);
  const issues = last ? upgradeIssues(last, template) : [];
  if (issues.length > 0) throw new Error(`${last?.version} cannot be upgraded to this:\n  ${issues.join('\n  ')}`);
  const release: Release = { version, retired: ids.split(',').filter(Boolean), template: statefulResources(template) };
  await writeFile(releaseFile, `${JSON.stringify(release, null, 1)}\n`);
  console.log(`Wrote the template of ${version} to ${releaseFile}. Commit it with the tag of the release.`);
}

if (process.argv[1] === import.meta.filename) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
