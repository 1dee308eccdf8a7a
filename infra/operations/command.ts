import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type Configuration, readConfiguration } from '../config.ts';
import { projectRoot } from '../synth/bundle.ts';
import { readCatalogueFile } from '../synth/catalogue-file.ts';

/** Wrong arguments or a wrong environment. Reported as a sentence, without a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * An operator's command.
 * @param print called with each line of output
 * @param printError called with the message of an error
 * @returns the exit status
 */
export type Command = (
  args: string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
  printError: (line: string) => void,
) => Promise<number>;

/**
 * Runs a command.
 * @param printError called with the message of a UsageError
 * @returns the exit status: the result of the action, or 1
 */
export async function runCommand(printError: (line: string) => void, action: () => Promise<number>): Promise<number> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printError(error.message);
    return 1;
  }
}

/** Parses the arguments of a command. @throws UsageError with the usage for an unknown option */
export function readArguments<Config extends ParseArgsConfig>(config: Config, usage: string) {
  try {
    return parseArgs(config);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${error.message}\n\n${usage}`);
    throw error;
  }
}

/** Client settings for the AWS endpoint of `npm start`. */
export const localAws = (environment: NodeJS.ProcessEnv) => ({
  endpoint: `http://127.0.0.1:${environment.AWS_PORT || 4402}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});

/** The SDK for JavaScript does not read AWS_DEFAULT_REGION, unlike the AWS CLI. */
export const awsEnvironmentFix =
  'Set AWS_REGION (AWS_DEFAULT_REGION is only read by the AWS CLI), and AWS_PROFILE or AWS_ACCESS_KEY_ID and its secret.';

/** Reads the configuration from cdk.json, catalogue.json and `FIRSTFRAME_CONTEXT`. @throws ConfigurationError */
export async function configurationOf({ FIRSTFRAME_CONTEXT = '{}' }: NodeJS.ProcessEnv): Promise<Configuration> {
  const { context } = JSON.parse(await readFile(join(projectRoot, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  const overrides = JSON.parse(FIRSTFRAME_CONTEXT) as Record<string, unknown>;
  return readConfiguration({ ...context, ...overrides }, await readCatalogueFile());
}
