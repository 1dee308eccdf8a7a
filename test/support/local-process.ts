import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface LocalProcess {
  api_url: string;
  wan_url: string;
  aws_url: string;
  /** Any other signal, which the process may handle. */
  signal(name: NodeJS.Signals): void;
  /** SIGKILL: nothing of the process gets a chance to tidy up. */
  kill(): Promise<void>;
}

/**
 * `npm start` as a process of its own, ready to be killed.
 * @param environment variables over the test's own, such as `LOCAL_DIR` and ports
 * @param script what is run; it must print the addresses as `local/start.ts` does
 * @throws Error with what the process printed, when it does not come up
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
  if (addresses.size < 3) throw new Error(`npm start did not come up:\n${printed.join('\n')}`);
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
