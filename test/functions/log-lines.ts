import type { Context } from 'aws-lambda';
import { vi } from 'vitest';

export const aContext = (awsRequestId: string): Context =>
  ({ awsRequestId, functionName: 'tested', functionVersion: '1', memoryLimitInMB: '256' }) as Context;

/** Returns what is logged during the work, as parsed lines. @param errors receives an error of the work */
export async function linesOf(
  work: () => Promise<unknown>,
  errors: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const written: string[] = [];
  // Powertools' logger uses its own console, which writes to the streams of the process.
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
