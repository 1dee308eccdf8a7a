import type { Context } from 'aws-lambda';
import { vi } from 'vitest';

export const aContext = (awsRequestId: string): Context =>
  ({ awsRequestId, functionName: 'tested', functionVersion: '1', memoryLimitInMB: '256' }) as Context;

/** What is logged meanwhile, line by line. An error of the work is thrown when the lines were taken. */
export async function linesOf(
  work: () => Promise<unknown>,
  errors: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const written: string[] = [];
  // A logger of Powertools writes with a console of its own to the process's streams.
  const streams = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0),
  );
  const methods = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((...words) => void written.push(`${words.join(' ')}\n`)),
  );
  try {
    await work().catch((error: unknown) => errors.push(error));
  } finally {
    for (const spy of [...streams, ...methods]) spy.mockRestore();
  }
  return written
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
