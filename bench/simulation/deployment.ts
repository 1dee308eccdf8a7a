import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { environments, type FunctionName } from '../../functions/shared/environment.ts';
import { projectRoot } from '../../infra/synth/bundle.ts';
import { synthesize } from '../../infra/synth/synthesize.ts';
import { defaultAddresses, withOrigins } from '../../local/addresses.ts';
import { account, region } from '../../local/aws/account.ts';
import { readEventSources, readQueues, readRules } from '../../local/aws/read-resources.ts';
import { loadStack } from '../../local/aws/template/load-stack.ts';
import type { EventSourceOptions } from './event-source.ts';

/** The parts of the synthesized template that a simulation uses. */
export type Deployment = Awaited<ReturnType<typeof readDeployment>>;

/** Separate from the output of `npm start`: the bundles here are empty, since a simulation composes the functions itself. */
const outdir = path.join(projectRoot, '.build', 'bench');

/** Synthesizes the stack. @param context settings that override those for the emulator */
export async function readDeployment(
  addresses: { awsUrl: string; emulatorUrl: string },
  context: Readonly<Record<string, unknown>>,
) {
  const synthesis = await synthesize({
    outdir,
    bundles: await noCode(),
    context: {
      wanBaseUrl: defaultAddresses.emulatorUrl,
      trustedOrigins: [new URL(defaultAddresses.emulatorUrl).origin, defaultAddresses.awsUrl],
      ...context,
    },
  });
  const stack = loadStack(withOrigins(synthesis.template, addresses), { stack_name: 'firstframe', account, region });
  const functions = stack.all('AWS::Lambda::Function').map(({ logical_id, name, properties }) => ({
    name: synthesis.functions[logical_id]!.name as FunctionName,
    deployedAs: name,
    environment: properties.Environment?.Variables ?? {},
    memory: properties.MemorySize,
  }));
  const functionNamed = (name: FunctionName) => functions.find((each) => each.name === name)!;
  /** Returns the function of an ARN with or without alias. @throws Error if the template has no such function */
  const functionOf = (arn: string): FunctionName => {
    const deployedAs = arn.split(':function:')[1]?.split(':')[0];
    const found = functions.find((each) => each.deployedAs === deployedAs);
    if (!found) throw new Error(`The template has no function ${arn}.`);
    return found.name;
  };
  const [table] = stack.all('AWS::DynamoDB::Table').map(({ name, properties }) => ({ ...properties, name }));
  return {
    table: table!,
    buckets: stack.all('AWS::S3::Bucket').map(({ name, properties }) => ({
      name,
      versioned: properties.VersioningConfiguration?.Status === 'Enabled',
    })),
    stateMachines: stack.all('AWS::StepFunctions::StateMachine').map(({ name, ref, properties }) => ({
      arn: ref,
      name,
      definition: JSON.parse(properties.DefinitionString) as object,
    })),
    /** Returns the environment variables of a function. */
    environmentOf: (name: FunctionName): NodeJS.ProcessEnv => functionNamed(name).environment,
    /** Returns the memory of a function in MB. */
    memoryOf: (name: FunctionName): number => functionNamed(name).memory,
    functionOf,
    /** Returns how an event source mapping receives the messages of a queue. */
    eventSourceOf: (queueUrl: string): Omit<EventSourceOptions, 'invoke'> => {
      const queue = readQueues(stack).find(({ name }) => name === queueUrl.split('/').at(-1))!;
      const source = readEventSources(stack).find(({ queue_arn }) => queue_arn === queue.arn)!;
      return {
        batchSize: source.batch_size,
        maximumConcurrency: source.maximum_concurrency,
        visibilitySeconds: queue.delivery!.visibility_timeout_seconds,
      };
    },
    /** Functions that run at a fixed rate. */
    schedules: readRules(stack).flatMap(({ schedule_expression = '', targets }) => {
      const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule_expression) ?? [];
      if (!count || !unit) return [];
      const seconds = Number(count) * { minute: 60, hour: 3600, day: 86_400 }[unit]!;
      return targets.map(({ arn }) => ({ name: functionOf(arn), seconds }));
    }),
  };
}

async function noCode() {
  const names = Object.keys(environments) as FunctionName[];
  const bundles = names.map(async (name, index) => {
    const directory = path.join(outdir, 'no-code', name);
    await mkdir(directory, { recursive: true });
    await writeFile(path.join(directory, 'index.js'), 'exports.handler = async () => ({});\n');
    return [name, { directory, hash: index.toString(16).padStart(64, '0') }] as const;
  });
  return new Map(await Promise.all(bundles));
}
