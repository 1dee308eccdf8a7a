import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A mistake in how a command was called, or in what it was pointed to: explained in a sentence, without a stack. */
export class UsageError extends Error {
  override readonly name = 'Mistake';
}

/**
 * Runs a command.
 * @param complain gets what is wrong, when something is
 * @returns the exit status, which the action gives
 */
export async function runCommand(complain: (line: string) => void, action: () => Promise<number>): Promise<number> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(error.message);
    return 1;
  }
}

/** The arguments of a command. @throws Mistake with the usage for an option that it does not have */
export function readArguments<Config extends ParseArgsConfig>(config: Config, usage: string) {
  try {
    return parseArgs(config);
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`${error.message}\n\n${usage}`);
    throw error;
  }
}

/** Clients of the AWS of npm start on this machine. */
export const localAws = (environment: NodeJS.ProcessEnv) => ({
  endpoint: `http://127.0.0.1:${environment.AWS_PORT || 4402}`,
  region: 'us-east-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
