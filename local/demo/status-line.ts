/** Where progress is written: a terminal, or a pipe or file. */
export type StatusOutput = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

export interface StatusLine {
  /** @param step what happens now; where there is no terminal, a line is written when it changes */
  show(step: string, progress?: number): void;
  /** Removes the line from the terminal. */
  clear(): void;
}

const refreshMilliseconds = 200;

/** One line that a terminal updates in place; elsewhere a plain line for each step. */
export function createStatusLine(output: StatusOutput, now: () => number = Date.now): StatusLine {
  const started = now();
  const seconds = () => `${Math.round((now() - started) / 1000)} s`.padStart(6);
  let [step, progress]: [string, number | undefined] = ['', undefined];
  let timer: NodeJS.Timeout | undefined;

  const draw = () => {
    const filled = Math.round((progress ?? 0) / 5);
    const bar = progress === undefined ? '' : `${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${progress} %  `;
    output.write(`\r\x1b[2K${`${seconds()}  ${bar}${step}`.slice(0, (output.columns || 80) - 1)}`);
  };

  return {
    show(newStep, newProgress) {
      const isNew = newStep !== step;
      [step, progress] = [newStep, newProgress];
      if (output.isTTY) {
        timer ??= setInterval(draw, refreshMilliseconds).unref();
        draw();
      } else if (isNew) output.write(`${seconds()}  ${step}\n`);
    },
    clear() {
      clearInterval(timer);
      timer = undefined;
      if (output.isTTY && step !== '') output.write('\r\x1b[2K');
    },
  };
}
