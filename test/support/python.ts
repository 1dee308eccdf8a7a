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
 * Creates a virtual environment with packages from PyPI (`name==version`), once, and keeps it below `.build/`.
 * @returns the directory of its executables
 * @throws Error that names what is missing: Python 3, its module venv, or, the first time, PyPI
 */
export async function pythonWith(...requirements: string[]): Promise<string> {
  const directory = path.resolve('.build', 'python', requirements.join('+').replaceAll('==', '-'));
  const programs = path.join(directory, process.platform === 'win32' ? 'Scripts' : 'bin');
  const marker = path.join(directory, 'installed');
  const isInstalled = await access(marker).then(
    () => true,
    () => false,
  );
  if (isInstalled) return programs;
  const started = performance.now();
  const steps: [missing: string, command: string, args: string[]][] = [
    ['Python is missing. Install Python 3.9 or later as python3', 'python3', ['--version']],
    [
      'Its module venv is missing. On Debian and Ubuntu it is the package python3-venv',
      'python3',
      ['-m', 'venv', '--clear', directory],
    ],
    [
      'pip could not install it. That needs the network once: check it, or set PIP_INDEX_URL to a mirror',
      path.join(programs, 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements],
    ],
  ];
  for (const [missing, command, args] of steps) {
    if ((await run(command, args)) !== 0) {
      throw new Error(
        `This test needs ${requirements.join(' and ')} from PyPI. ${missing}. Failed: ${command} ${args.join(' ')}`,
      );
    }
  }
  await writeFile(marker, '');
  console.log(`Installed ${requirements.join(' and ')} in ${Math.round((performance.now() - started) / 1000)} s`);
  return programs;
}
