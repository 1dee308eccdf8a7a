import { startWan } from './server.ts';
import { readSettings } from './settings.ts';

/** `npm run wan`: the emulator alone. */
try {
  const settings = readSettings(process.env);
  const wan = await startWan(settings);
  console.log(`Wan emulator at ${wan.url}; any key that starts with sk- is good. State in ${settings.directory}.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => wan.close());
} catch (error) {
  console.error(`The Wan emulator can't start: ${explain(error)}`);
  process.exitCode = 1;
}

function explain(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'the port is taken; set WAN_PORT to a free one, or end what uses it.';
  }
  return error instanceof Error ? error.message : String(error);
}
