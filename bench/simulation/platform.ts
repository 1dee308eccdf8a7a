import type { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Platform } from '../../functions/entries/platform.ts';

/** A log of which only the errors are kept. @param written called for each line */
export const errorLogger = (errors: unknown[], written: () => void = () => undefined): Platform['logger'] => ({
  addContext: () => undefined,
  appendKeys: () => undefined,
  resetKeys: () => undefined,
  info: written,
  warn: written,
  error(message, ...details) {
    written();
    errors.push(new Error(`${JSON.stringify(message)} ${JSON.stringify(details)}`));
  },
});

/** Secrets Manager with a key that the emulator takes. @param read called for each read */
export const simulateSecrets = (read: () => void = () => undefined): Platform['secrets'] => {
  const send = async () => {
    read();
    return { SecretString: 'sk-bench' };
  };
  return { send } as unknown as Platform['secrets'];
};

/** Lambda's API, as far as functions invoke each other by it: the event of an asynchronous invocation is accepted. */
export const lambdaClient = (accept: (name: 'watch', event: unknown) => void): Platform['lambda'] =>
  ({
    async send({ input }: InvokeCommand) {
      accept('watch', JSON.parse(String(input.Payload)));
      return {};
    },
  }) as Platform['lambda'];
