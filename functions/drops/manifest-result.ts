import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Manifest } from './manifest-item.ts';
import type { ManifestRow } from './manifest-row.ts';
import { type FreePlace, type Origin, originLabel, originLabels } from './result-place.ts';

type S3 = Pick<S3Client, 'send'>;

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

/** A manifest's result as it stands: `own` is that of this very version, `foreign` what nobody wrote for any, `another` that of another one. */
export type StandingResult =
  | { kind: 'own'; rows: ManifestRow[]; condition: FreePlace['condition'] }
  | { kind: 'none'; condition: FreePlace['condition'] }
  | { kind: 'another' };

/** Reads what stands where a manifest's result is told. */
export async function readResult(s3: S3, manifest: Manifest): Promise<StandingResult> {
  const get = new GetObjectCommand({ Bucket: manifest.bucket, Key: resultKey(manifest) });
  const found = await s3.send(get).catch(unlessAbsent);
  if (!found?.ETag) return { kind: 'none', condition: { IfNoneMatch: '*' } };
  const condition = { IfMatch: found.ETag };
  const version = found.Metadata?.[originLabel];
  if (version === undefined) return { kind: 'none', condition };
  if (version !== (manifest.version_id ?? '')) return { kind: 'another' };
  const rows = parseRows((await found.Body?.transformToString()) ?? '');
  return rows ? { kind: 'own', rows, condition } : { kind: 'none', condition };
}

/** @returns undefined for a text that somebody has changed */
function parseRows(text: string): ManifestRow[] | undefined {
  try {
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ManifestRow);
  } catch {
    return undefined;
  }
}

function unlessAbsent(error: unknown): undefined {
  if (error instanceof NoSuchKey) return undefined;
  throw error;
}
