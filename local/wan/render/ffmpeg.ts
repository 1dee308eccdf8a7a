import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Thrown when ffmpeg cannot render its inputs, for example a damaged image. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}

export interface Ffmpeg {
  /**
   * Runs ffmpeg with these arguments. At most two processes run concurrently; the others wait.
   *
   * @throws RenderError with the end of ffmpeg's output
   */
  run(args: readonly string[]): Promise<void>;
  /** Kills all processes; their runs and those that wait reject. */
  close(): void;
}

const maxConcurrent = 2;

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
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-2000);
      });
      child.on('error', reject).on('close', (code) => {
        running.delete(child);
        if (code === 0) resolve();
        else if (closed) reject(new Error('The Wan emulator was closed while it rendered.'));
        else reject(new RenderError(`ffmpeg ended with ${code}: ${output.trim()}`));
      });
    });
  }

  return {
    async run(args) {
      if (busy >= maxConcurrent) await new Promise<void>((resolve) => waiting.push(resolve));
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

/** Returns the ffmpeg of the PATH if it can encode H.264 with x264 and AAC, else the one of @ffmpeg-installer/ffmpeg. */
async function findBinary(): Promise<string> {
  const encoders = await promisify(execFile)('ffmpeg', ['-hide_banner', '-encoders']).then(
    ({ stdout }) => stdout,
    () => '',
  );
  if (/ libx264 /.test(encoders) && / aac /.test(encoders)) return 'ffmpeg';
  const { default: installer } = await import('@ffmpeg-installer/ffmpeg');
  // npm may have unpacked it without the permission to execute.
  await chmod(installer.path, 0o755).catch(() => {});
  return installer.path;
}
