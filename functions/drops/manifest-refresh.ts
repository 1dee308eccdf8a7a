import type { S3Client } from '@aws-sdk/client-s3';
import { idsInStatus } from '../queue/waiting.ts';
import { atMost, beginElsewhere, valuesOf } from '../shared/concurrency.ts';
import { isTombstone } from '../video/deletion.ts';
import { fromItem, readVideo } from '../video/store.ts';
import { readItem, type Table } from '../video/table.ts';
import { closeManifest, lineId, type Manifest, readManifest } from './manifest-item.ts';
import { putResult, readResult, resultKey } from './manifest-result.ts';
import { isDone, type ManifestRow, rowOf } from './manifest-row.ts';
import { isOvertaken, isPossibleKey } from './result-object.ts';

interface RefreshServices {
  table: Table;
  s3: Pick<S3Client, 'send'>;
}

/** A manifest is looked at each minute, one of more lines than this every second minute, and so on: each writes its result whole. */
const LINES_A_MINUTE = 1000;

/** Records that are read at once. */
const READS_AT_ONCE = 25;

/**
 * No manifest is begun and no record read after this time, in milliseconds: what is left has its turn in another minute. With the
 * dispatch function's share of a processor that is enough for some 3,000 records.
 */
const LONGEST = 30_000;

/**
 * Tells how the lines of manifests stand, where that has changed, and closes the manifests of which all lines have ended. Meant to run
 * each minute. Whatever goes wrong with one keeps no other from its turn.
 * @returns ids of the manifests that were closed
 * @throws AggregateError after all had their turn; the next call tries again
 */
export async function refreshManifests(services: RefreshServices): Promise<string[]> {
  const { table } = services;
  const begun = table.now();
  const minute = Math.floor(begun / 60_000);
  const ids: string[] = [];
  for await (const id of idsInStatus(table, 'manifest')) ids.push(id);
  const closed: string[] = [];
  const errors: unknown[] = [];
  const until = begun + LONGEST;
  for (const id of beginElsewhere(ids, begun)) {
    if (table.now() > until) break;
    try {
      const manifest = await readManifest(table, id);
      if (!manifest?.taken_at || minute % Math.ceil(manifest.lines / LINES_A_MINUTE) !== 0) continue;
      if (!(await refresh(services, manifest, until))) continue;
      await closeManifest(table, id);
      closed.push(id);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0)
    throw new AggregateError(errors, `${errors.length} results of manifests could not be written.`);
  return closed;
}

/** @returns whether nothing is left to tell */
async function refresh({ table, s3 }: RefreshServices, manifest: Manifest, until: number): Promise<boolean> {
  if (!isPossibleKey(resultKey(manifest))) return true;
  const standing = await readResult(s3, manifest);
  // It was written over this manifest's own, so it is of a later version.
  if (standing.kind === 'another') return true;
  const before = standing.kind === 'own' ? standing.rows : await rowsOfVideos(table, manifest, until);
  if (!before) return false;
  const rows = await renewedRows(table, before, until);
  if (standing.kind === 'none' || rows.some((row, index) => row !== before[index])) {
    try {
      await putResult(s3, manifest, rows, standing.condition);
    } catch (error) {
      if (isOvertaken(error)) return false;
      throw error;
    }
  }
  return rows.every(isDone);
}

/** The lines as they stand now; those for which there is no time, as they stood. */
async function renewedRows(table: Table, before: readonly ManifestRow[], until: number): Promise<ManifestRow[]> {
  const rows = [...before];
  const order = beginElsewhere([...rows.keys()], table.now());
  const outcomes = await atMost(READS_AT_ONCE, order, async (index) => {
    if (table.now() <= until) rows[index] = await renewed(table, rows[index]!);
  });
  valuesOf(outcomes, 'lines could not be read.');
  return rows;
}

/** A line as it stands now: the same row when nothing has changed. */
async function renewed(table: Table, row: ManifestRow): Promise<ManifestRow> {
  const { line, id } = row;
  if (isDone(row) || line === undefined || id === undefined) return row;
  const now = rowOf(line, id, await readVideo(table, id));
  return now.status === row.status ? row : now;
}

/**
 * Somebody has deleted the result or written over it: the lines that became videos are told again.
 * @returns undefined when there is no time to read all of them
 */
async function rowsOfVideos(table: Table, manifest: Manifest, until: number): Promise<ManifestRow[] | undefined> {
  const lines = Array.from({ length: manifest.lines }, (_, index) => index + 1);
  const read = async (line: number): Promise<ManifestRow[] | undefined> => {
    if (table.now() > until) return undefined;
    const id = lineId(manifest, line);
    const item = await readItem(table, id);
    return item ? [rowOf(line, id, isTombstone(item) ? undefined : fromItem(item))] : [];
  };
  const rows = valuesOf(await atMost(READS_AT_ONCE, lines, read), 'lines could not be read.');
  return rows.includes(undefined) ? undefined : rows.flatMap((row) => row ?? []);
}
