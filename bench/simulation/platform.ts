import type { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { InvokeCommand } from '@aws-sdk/client-lambda';
import type { Platform } from '../../functions/entries/platform.ts';
import type { Latency } from './latency.ts';

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

/** Simulates PutEvents of EventBridge; the events have no receivers. @param onEvents called with the number of events of each call */
export const simulateEventBridge = (latency: Latency, onEvents: (count: number) => void): Platform['eventBridge'] =>
  ({
    async send({ input }: PutEventsCommand) {
      await latency('putEvents', async () => onEvents(input.Entries?.length ?? 0));
      return { FailedEntryCount: 0 };
    },
  }) as Platform['eventBridge'];
