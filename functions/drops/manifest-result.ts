import { Readable } from 'node:stream';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { statuses } from '../video/record.ts';
import { isJsonObject } from '../wan/validation/body.ts';
import { lineId, type Manifest } from './manifest-item.ts';
import type { ManifestRow } from './manifest-row.ts';
import { type FreePlace, type Origin, originLabel, originLabels } from './result-object.ts';

type S3 = Pick<S3Client, 'send'>;

/** More than the result of as many lines as a manifest may have comes to: nothing longer was written here, nor is it read. */
const MOST_RESULT_BYTES = 32 * 1024 * 1024;

/** Where the outcomes of a manifest's lines are told. */
export const resultKey = ({ key }: Pick<Manifest, 'key'>): string => `${key}.result.jsonl`;

/** Writes a manifest's result: one line a line. @throws S3ServiceException when the condition does not hold */
export async function putResult(
  s3: S3,
  manifest: Origin,
  rows: readonly ManifestRow[],
  condition: FreePlace['condition'],
): Promise<void> {
  await s3.send(
    new PutObjectCommand({
      Bucket: manifest.bucket,
      Key: resultKey(manifest),
      Body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
      ContentType: 'application/jsonl',
      Metadata: originLabels(manifest),
      ...condition,
    }),
  );
}

/** A manifest's result as it stands: `own` is that of this very version, `another` that of another one, `none` whatever else lies there. */
type StandingResult =
  | { kind: 'own'; rows: ManifestRow[]; condition: FreePlace['condition'] }
  | { kind: 'none'; condition: FreePlace['condition'] }
  | { kind: 'another' };

/**
 * Reads what stands where a manifest's result is told. Whoever may write to the folder may have written it, labels and all: it is
 * taken for ours only if it tells of nothing but the manifest's own lines.
 */
export async function readResult(s3: S3, manifest: Manifest): Promise<StandingResult> {
  const get = new GetObjectCommand({ Bucket: manifest.bucket, Key: resultKey(manifest) });
  const found = await s3.send(get).catch(unlessAbsent);
  if (!found?.ETag) return { kind: 'none', condition: { IfNoneMatch: '*' } };
  const condition = { IfMatch: found.ETag };
  const version = found.Metadata?.[originLabel];
  if (version === undefined) return { kind: 'none', condition };
  if (version !== (manifest.version_id ?? '')) return { kind: 'another' };
  if (found.ContentLength === undefined || found.ContentLength > MOST_RESULT_BYTES) {
    if (found.Body instanceof Readable) found.Body.destroy();
    return { kind: 'none', condition };
  }
  const rows = parseRows(manifest, (await found.Body?.transformToString()) ?? '');
  return rows ? { kind: 'own', rows, condition } : { kind: 'none', condition };
}

/** @returns undefined for a text that somebody has changed */
function parseRows(manifest: Manifest, text: string): ManifestRow[] | undefined {
  try {
    const rows: unknown[] = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    return areRowsOf(manifest, rows) ? rows : undefined;
  } catch {
    return undefined;
  }
}

const rowStatuses: ReadonlySet<unknown> = new Set([...statuses, 'deleted']);

/** Whether all that is read or relied on later is the manifest's: its lines, each once and in order, and the ids of their videos. */
function areRowsOf(manifest: Manifest, rows: readonly unknown[]): rows is ManifestRow[] {
  let last = 0;
  return rows.every((row) => {
    if (!isJsonObject(row) || !rowStatuses.has(row.status)) return false;
    const { line, id } = row;
    if (typeof line !== 'number' || !Number.isInteger(line) || line <= last || line > manifest.lines) return false;
    last = line;
    return id === undefined || id === lineId(manifest, line);
  });
}

function unlessAbsent(error: unknown): undefined {
  if (error instanceof NoSuchKey) return undefined;
  throw error;
}
