import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { newDirectory } from './support.ts';

const script = fileURLToPath(new URL('killed-process.ts', import.meta.url));

interface Seen {
  pid: number;
  begin?: string;
  end?: string;
  execution?: string;
  status?: string;
  output?: string | null;
  answered?: string;
}

/** Runs the process; resolves with the signal that ended it. */
async function run(directory: string, executions: number, lastMoment: number): Promise<NodeJS.Signals | null> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', script, directory, String(executions), String(lastMoment)],
    { stdio: 'inherit' },
  );
  const [code, signal] = await once(child, 'exit');
  expect(code ?? 0).toBe(0);
  return signal;
}

test.concurrent.each([[[8, 17]], [[33, 15]]])(
  'killed at moments %j, every execution that was answered runs to its end, each state in order, never twice at a time',
  async (kills) => {
    const directory = newDirectory();
    const executions = 4;
    for (const [index, moment] of kills.entries())
      expect(await run(directory, index === 0 ? executions : 0, moment)).toBe('SIGKILL');
    expect(await run(directory, 0, 0)).toBeNull();

    const seen: Seen[] = readFileSync(path.join(directory, 'seen.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const answered = seen.flatMap((line) => line.answered ?? []);
    const told = seen.filter(({ status }) => status);
    const succeeded = new Set(told.flatMap((line) => (line.status === 'SUCCEEDED' ? (line.execution ?? []) : [])));
    expect([...succeeded]).toEqual(expect.arrayContaining(answered));

    for (const name of succeeded) {
      const own = seen.filter((line) => line.execution === name);
      expect(told.find((line) => line.execution === name)?.status).toBe('RUNNING');
      for (const line of own)
        if (line.status === 'SUCCEEDED') expect(line.output).toBe('{"past":["one","two","three","four"]}');
      const begun = own.filter(({ begin }) => begin);
      expect(begun.map(({ begin }) => begin).filter((state, index, all) => state !== all[index - 1])).toEqual([
        'one',
        'two',
        'three',
        'four',
      ]);
      // Within one process a task is begun once, and the next one only when it has ended.
      for (const pid of new Set(own.map((line) => line.pid))) {
        const steps = own
          .filter((line) => line.pid === pid && (line.begin || line.end))
          .map((line) => line.begin ?? line.end);
        const states = [...new Set(steps)];
        expect(steps).toEqual(states.flatMap((state) => [state, state]).slice(0, steps.length));
      }
    }
  },
  60_000,
);
