import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../synth/bundle.ts';
import type { Template, TemplateResource } from '../synth/render-template.ts';
import { synthesize } from '../synth/synthesize.ts';

/** What the last release deployed, against which every change is held (test/infra/upgrade.test.ts). */
export const releaseFile = join(projectRoot, 'infra', 'operations', 'released.json');

export const readRelease = async (): Promise<Release> => JSON.parse(await readFile(releaseFile, 'utf8')) as Release;

/** What is promised about a release: its template, and the functions in it that nothing calls any more. */
export interface Release {
  readonly version: string;
  /** Logical ids of functions that stay for what was started before this release, and that the next one may leave out. */
  readonly retired: readonly string[];
  readonly template: Template;
}

/**
 * Types that hold something which a new one would not: data, addresses that others know, executions that are under way. With each the
 * properties whose change has CloudFormation replace it (AWS CloudFormation Template Reference, "Update requires: Replacement").
 */
const stateful: Readonly<Record<string, readonly string[]>> = {
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema', 'LocalSecondaryIndexes', 'ImportSourceSpecification'],
  'AWS::SecretsManager::Secret': ['Name'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType', 'EncryptionConfiguration'],
  // Its id is part of the address that every caller has.
  'AWS::ApiGateway::RestApi': [],
  'AWS::ApiGateway::Stage': ['StageName', 'RestApiId'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::SNS::Topic': ['TopicName', 'FifoTopic'],
};

/** Executions that are under way call functions by the aliases that their definition named when they were started. */
const called: Readonly<Record<string, readonly string[]>> = {
  'AWS::Lambda::Function': ['FunctionName', 'PackageType'],
  'AWS::Lambda::Alias': ['Name', 'FunctionName'],
};

/** Whether the promise is about a resource. */
const isPromised = ({ Type }: TemplateResource): boolean => Type in stateful || Type in called;

/**
 * What an upgrade from a release would destroy, in sentences; none for a safe one.
 * @param today the template that would be deployed over it
 */
export function upgradeIssues(released: Release, today: Template): string[] {
  return Object.entries(released.template.Resources).flatMap(([id, before]) => {
    const after = today.Resources[id];
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
    .map((name) => `${id} (${before.Type}) would be replaced: its ${name} is another.`);

function weakened(id: string, before: TemplateResource, after: TemplateResource): string[] {
  return (['DeletionPolicy', 'UpdateReplacePolicy'] as const)
    .filter((policy) => before[policy] === 'Retain' && after[policy] !== 'Retain')
    .map((policy) => `${id} (${before.Type}) would lose its ${policy} Retain.`);
}

/** DynamoDB makes or deletes one index in an update; an index with another key is both at once. */
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
      (name) => `The index ${name} of ${id}, which code of the release asks, would be gone.`,
    ),
    ...(made.length > 1
      ? [`${made.length} indexes of ${id} would be made at once (${made.join(', ')}); DynamoDB makes one.`]
      : []),
  ];
}

/** Of a template what the promise is about, without what changes with each line of code: hashes of bundles, and versions named by them. */
export function statefulResources({ Resources }: Template): Template {
  return {
    Resources: Object.fromEntries(
      Object.entries(Resources)
        .filter(([, resource]) => isPromised(resource))
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
    throw new Error(
      'Say which version: npm run release -- 1.2.0, perhaps with --retired and logical ids of functions.',
    );
  }
  const { template } = await synthesize();
  const last = await readRelease().catch(() => undefined);
  const faults = last ? upgradeIssues(last, template) : [];
  if (faults.length > 0) throw new Error(`${last?.version} can't be upgraded to this:\n  ${faults.join('\n  ')}`);
  const release: Release = { version, retired: ids.split(',').filter(Boolean), template: statefulResources(template) };
  await writeFile(releaseFile, `${JSON.stringify(release, null, 1)}\n`);
  console.log(`The template of ${version} is written down. Commit it with the release's tag.`);
}

if (process.argv[1] === import.meta.filename) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
