import type { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Platform } from '../../functions/entries/platform.ts';

/** A log of which only the errors are kept. */
export const errorLogger = (errors: unknown[]): Platform['logger'] => ({
  addContext: () => undefined,
  appendKeys: () => undefined,
  resetKeys: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message, ...details) => void errors.push(new Error(`${JSON.stringify(message)} ${JSON.stringify(details)}`)),
});

/** Secrets Manager with a key that the emulator takes. */
export const secrets = {
  send: async () => ({ SecretString: 'sk-bench' }),
} as unknown as Platform['secrets'];

/** Lambda's API, as far as functions invoke each other by it: the event of an asynchronous invocation is accepted. */
export const lambdaClient = (accept: (name: string, event: unknown) => void): Platform['lambda'] =>
  ({
    async send({ input }: InvokeCommand) {
      accept('watch', JSON.parse(String(input.Payload)));
      return {};
    },
  }) as Platform['lambda'];
