import { join } from 'node:path';
import type { WanOptions } from './server.ts';

/**
 * Reads the emulator's settings from environment variables: `WAN_PORT` (4401), `WAN_TASK_SECONDS` (6), `WAN_LIMITS`
 * (on) and `LOCAL_DIR` (.local, in which it uses the folder `wan`).
 *
 * @throws an Error that names the variable and what it may be
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): WanOptions {
  const limits = environment.WAN_LIMITS || 'on';
  if (limits !== 'on' && limits !== 'off') throw new Error(`WAN_LIMITS is "${limits}"; it must be on or off.`);
  const port = readNumber('WAN_PORT', environment.WAN_PORT || '4401');
  if (!Number.isInteger(port) || port > 65535) throw new Error('WAN_PORT must be a whole number from 0 to 65535.');
  const taskSeconds = readNumber('WAN_TASK_SECONDS', environment.WAN_TASK_SECONDS || '6');
  return { port, taskSeconds, limits, directory: join(environment.LOCAL_DIR || '.local', 'wan') };
}

function readNumber(name: string, text: string): number {
  if (!/^\d{1,9}(\.\d+)?$/.test(text))
    throw new Error(`${name} is "${text}"; it must be a number that is not negative.`);
  return Number(text);
}
