import path from 'node:path';
import { portError } from './aws/listen.ts';
import type { LocalSettings } from './settings.ts';
import type { Wan } from './wan/server.ts';

/** Starts the Wan emulator, unless the settings use the real Wan. @throws Error that names the variable of a port in use */
export async function startEmulator({ wan, wan_port, directory }: LocalSettings): Promise<Wan | undefined> {
  if (wan.kind === 'real') return undefined;
  const { startWan } = await import('./wan/server.ts');
  return startWan({
    port: wan_port,
    directory: path.join(directory, 'wan'),
    taskSeconds: wan.task_seconds,
    limits: wan.limits,
    ...(wan.domain && { domain: wan.domain }),
  }).catch((error: unknown) => {
    throw portError(error, wan_port, 'WAN_PORT');
  });
}
