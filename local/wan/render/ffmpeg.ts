import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { promisify } from 'node:util';

/** ffmpeg could not make a video of its inputs: a damaged image, for example. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}

export interface Ffmpeg {
  /**
   * Runs ffmpeg with these arguments; at most two run at once, the others wait.
   *
   * @throws RenderError with what ffmpeg said last, when it fails
   */
  run(args: readonly string[]): Promise<void>;
  /** Stops what runs; runs that wait or are stopped reject. */
  close(): void;
}

const atOnce = 2;

export function createFfmpeg(): Ffmpeg {
  const running = new Set<ChildProcess>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  let closed = false;
  let binary: Promise<string> | undefined;

  function runNow(path: string, args: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (closed) throw new Error('The Wan emulator was closed while it rendered.');
      const child = spawn(path, ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      running.add(child);
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-2000);
      });
      child.on('error', reject).on('close', (code) => {
        running.delete(child);
        if (code === 0) resolve();
        else if (closed) reject(new Error('The Wan emulator was closed while it rendered.'));
        else reject(new RenderError(`ffmpeg ended with ${code}: ${said.trim()}`));
      });
    });
  }

  return {
    async run(args) {
      if (busy >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
      else busy += 1;
      try {
        binary ??= findBinary();
        await runNow(await binary, args);
      } finally {
        const next = waiting.shift();
        if (next) next();
        else busy -= 1;
      }
    },
    close() {
      closed = true;
      for (const child of running) child.kill('SIGKILL');
    },
  };
}

/** The PATH's ffmpeg if it can encode H.264 by x264 and AAC, else the one inside the installer's package. */
async function findBinary(): Promise<string> {
  const encoders = await promisify(execFile)('ffmpeg', ['-hide_banner', '-encoders']).then(
    ({ stdout }) => stdout,
    () => '',
  );
  if (/ libx264 /.test(encoders) && / aac /.test(encoders)) return 'ffmpeg';
  const { default: installer } = await import('@ffmpeg-installer/ffmpeg');
  // npm may have unpacked it without the right to run it.
  await chmod(installer.path, 0o755).catch(() => {});
  return installer.path;
}
