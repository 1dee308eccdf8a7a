import { startEmulator } from './emulator.ts';
import { readSettings } from './settings.ts';

/** `npm run wan`: runs the emulator without the stack, and ignores the settings of the real Wan. */
try {
  const { DASHSCOPE_API_KEY: _key, WAN_BASE_URL: _url, ...environment } = process.env;
  const settings = readSettings(environment);
  const wan = await startEmulator(settings);
  console.log(`Wan emulator at ${wan!.url}; accepts any key that starts with sk-. State in ${settings.directory}/wan.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => wan!.close());
} catch (error) {
  console.error(`The Wan emulator cannot start: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
