import type { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Platform } from '../../functions/entries/platform.ts';

/** Creates a logger that collects only errors. @param onLine called for each line */
export const errorLogger = (errors: unknown[], onLine: () => void = () => undefined): Platform['logger'] => ({
  addContext: () => undefined,
  appendKeys: () => undefined,
  resetKeys: () => undefined,
  info: onLine,
  warn: onLine,
  error(message, ...details) {
    onLine();
    errors.push(new Error(`${JSON.stringify(message)} ${JSON.stringify(details)}`));
  },
});

/** Simulates Secrets Manager with a key that the emulator accepts. @param onRead called for each read */
export const simulateSecrets = (onRead: () => void = () => undefined): Platform['secrets'] => {
  const send = async () => {
    onRead();
    return { SecretString: 'sk-bench' };
  };
  return { send } as unknown as Platform['secrets'];
};

/** Simulates the asynchronous Invoke call of Lambda's API, which functions use to start the watcher. */
export const lambdaClient = (accept: (name: 'watch', event: unknown) => void): Platform['lambda'] =>
  ({
    async send({ input }: InvokeCommand) {
      accept('watch', JSON.parse(String(input.Payload)));
      return {};
    },
  }) as Platform['lambda'];
