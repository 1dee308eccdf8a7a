import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface LocalProcess {
  api_url: string;
  wan_url: string;
  aws_url: string;
  /** Sends another signal, which the process may handle. */
  signal(name: NodeJS.Signals): void;
  /** Sends SIGKILL, so that the process cannot clean up. */
  kill(): Promise<void>;
}

/**
 * Runs `npm start` as a separate process, which can be killed.
 * @param environment variables in addition to the test's own, such as `LOCAL_DIR` and ports
 * @param script the script to run; it must print the addresses as `local/start.ts` does
 * @throws Error with the output of the process, when it does not start
 */
export async function startProcess(
  environment: Record<string, string>,
  script = 'local/start.ts',
): Promise<LocalProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed: string[] = [];
  const addresses = new Map<string, string>();
  createInterface({ input: child.stderr }).on('line', (line) => printed.push(line));
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    const [, name, address] = /^ +(API|Wan|AWS) +(http:\S+)/.exec(line) ?? [];
    if (name && address) addresses.set(name, address);
    if (addresses.size === 3) break;
  }
  if (addresses.size < 3) throw new Error(`npm start did not start:\n${printed.join('\n')}`);
  child.stdout.resume();
  child.once('exit', (code, signal) => {
    if (signal === 'SIGKILL') return;
    console.error(`The process ended by itself (${signal ?? code}):\n${printed.slice(-40).join('\n')}`);
  });
  return {
    api_url: addresses.get('API')!,
    wan_url: addresses.get('Wan')!,
    aws_url: addresses.get('AWS')!,
    signal: (name) => void child.kill(name),
    kill: () => killed(child),
  };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
