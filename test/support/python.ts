import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Runs a command with this process's terminal. @returns its exit status; 1 when it could not be started */
export async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const ended = once(child, 'exit').then(([code]) => (code as number | null) ?? 1);
  return ended.catch((error: unknown) => {
    console.error(`${command}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  });
}

/**
 * Creates a virtual environment with one package from PyPI, once, and keeps it below `.local/`.
 * @returns the directory of its executables
 * @throws Error that names the requirements: Python 3 with venv and, the first time, network access
 */
export async function pythonWith(name: string, version: string): Promise<string> {
  const directory = path.resolve('.local', 'python', `${name}-${version}`);
  const programs = path.join(directory, process.platform === 'win32' ? 'Scripts' : 'bin');
  const marker = path.join(directory, 'installed');
  const isInstalled = await access(marker).then(
    () => true,
    () => false,
  );
  if (isInstalled) return programs;
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', '--clear', directory]],
    [
      path.join(programs, 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`],
    ],
  ];
  for (const [command, args] of steps) {
    if ((await run(command, args)) !== 0) {
      throw new Error(`${command} ${args.join(' ')} failed. This needs Python 3 with venv and, the first time, PyPI.`);
    }
  }
  await writeFile(marker, '');
  return programs;
}
