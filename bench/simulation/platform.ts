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
