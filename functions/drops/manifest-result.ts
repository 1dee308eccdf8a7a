import type { S3Client } from '@aws-sdk/client-s3';
import type { Failure } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import { type EndedLine, lineEndings, type Manifest, moveLines } from './manifest-item.ts';
import { type Origin, placeOf, resultKey, writeResult } from './result-object.ts';

interface ResultStores {
  table: Table;
  s3: Pick<S3Client, 'send'>;
}

/** The key of a line's result. Line numbers start at 1. */
const lineKey = ({ key }: Origin, line: number): string => `${key}.results/${String(line).padStart(6, '0')}.json`;

/** Writes the result of a line. @param at when the line ended: an older result never replaces a newer one */
export const writeLineResult = (
  { s3 }: ResultStores,
  upload: Origin,
  { line, at, result }: { line: number; at: string; result: object },
): Promise<void> =>
  writeResult(s3, lineKey(upload, line), upload, at, async () => ({ line, manifest: placeOf(upload), ...result }));

/** The result of a line, an image or a manifest that cannot become a video. */
export const lineFailure = (error: Pick<Failure, 'code' | 'message' | 'hint'>) => ({
  status: 'refused' as const,
  error: { ...error, retryable: false, billed: false } satisfies Failure,
});

/**
 * Counts lines whose results have been written, and writes the summary when no line is open. Idempotent: the caller that dies before
 * the summary is written is repeated, and writes it then.
 * @param mayReplace as of `moveLines`
 */
export async function endLines(
  stores: ResultStores,
  upload: Origin,
  ended: readonly EndedLine[],
  mayReplace?: () => Promise<boolean>,
): Promise<void> {
  const manifest = await moveLines(stores.table, upload, ended, mayReplace);
  if (manifest && !manifest.open) await writeSummary(stores, manifest);
}

/** Writes the summary of a manifest: how many of its lines ended in which way, and their cost. */
export async function writeSummary(
  { s3 }: ResultStores,
  manifest: Manifest,
  refusal?: ReturnType<typeof lineFailure>,
): Promise<void> {
  const { revision, lines, created_at, updated_at, cost, currency } = manifest;
  const counts = Object.fromEntries(lineEndings.map((ending) => [ending, manifest[ending]?.size ?? 0]));
  const body = {
    manifest: placeOf(manifest),
    ...(refusal ?? { status: 'finished' }),
    created_at,
    finished_at: updated_at,
    lines,
    ...counts,
    ...(cost === undefined ? {} : { cost: { amount: cost, currency } }),
  };
  // A later summary, after a retry, has a higher number.
  await writeResult(s3, resultKey(manifest.key), manifest, String(revision).padStart(12, '0'), async () => body);
}
