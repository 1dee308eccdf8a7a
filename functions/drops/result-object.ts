import {
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { ignoreNotFound } from '../shared/s3.ts';
import { kindOf } from './drop-key.ts';

type S3 = Pick<S3Client, 'send'>;

/** The version of an object in the drop folder that a result belongs to. */
export interface Origin {
  bucket: string;
  key: string;
  version_id?: string | undefined;
}

const isManifest = (key: string): boolean => ['manifest', 'misnamed_manifest'].includes(kindOf(key));

/** Where the result of an image or a manifest is, by its key: of a manifest, the summary. */
export const resultKey = (key: string): string =>
  isManifest(key) ? `${key}.results/summary.json` : `${key}.result.json`;

/** The state of a key at which a result may be written. */
interface WritablePlace {
  /** Holds until another process writes to the key. */
  condition: { IfNoneMatch: '*' } | { IfMatch: string };
  /** The labels of the current result, if it belongs to the same version. */
  current: Readonly<Record<string, string>> | undefined;
}

/** The label with the version that a result belongs to. Version ids have no order, so S3 is asked which one is later. */
const originLabel = 'origin-version';

/** Bytes of S3's longest key: the longest names of images leave no room for those of their results. */
const MAX_KEY_BYTES = 1024;

/** The place of an object as results have it. */
export const placeOf = ({ bucket, key, version_id }: Origin): Origin => ({
  bucket,
  key,
  ...(version_id ? { version_id } : {}),
});

export const isPossibleKey = (key: string): boolean => Buffer.byteLength(key) <= MAX_KEY_BYTES;

/** How often a write is tried when other writes keep coming first. */
const ATTEMPTS = 10;

/**
 * Writes a file that belongs to one version of an object, and never over that of a later version: reads the current file, decides,
 * writes on condition that it has not changed, and starts again when it has. A file of the user under this name is overwritten: the
 * name is reserved for results, and the bucket keeps its versions.
 * @param write writes under the condition, with `originLabels(origin)` in the object's metadata; or does nothing when the current file
 *   is right
 * @returns `superseded` when the current file belongs to a later version
 */
export async function writeIfNewer(
  s3: S3,
  key: string,
  origin: Origin,
  write: (place: WritablePlace) => Promise<unknown>,
): Promise<'written' | 'superseded'> {
  for (let attempt = 1; ; attempt++) {
    const place = await readCurrent(s3, key, origin);
    if (place === 'superseded') return place;
    try {
      await write(place);
      return 'written';
    } catch (error) {
      if (!isOvertaken(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** The label that orders the results of one version: a retry of its video has a later one. */
const outcomeLabel = 'outcome-of';

/**
 * Writes a result as JSON, unless a later one, or one of a later version of its origin, exists. Does nothing for a key that is too long
 * for S3.
 * @param outcome orders the results of one version, as text
 */
export async function writeResult(
  s3: S3,
  key: string,
  origin: Origin,
  outcome: string,
  makeBody: () => Promise<object>,
): Promise<void> {
  if (!isPossibleKey(key)) return;
  await writeIfNewer(s3, key, origin, async ({ condition, current }) => {
    const written = current?.[outcomeLabel];
    if (written && written >= outcome) return;
    await s3.send(
      new PutObjectCommand({
        Bucket: origin.bucket,
        Key: key,
        Body: `${JSON.stringify(await makeBody(), undefined, 2)}\n`,
        ContentType: 'application/json',
        Metadata: { ...originLabels(origin), [outcomeLabel]: outcome },
        ...condition,
      }),
    );
  });
}

/** Writes the result of an upload that has no video: of an image or a manifest. @param at when it was decided: ISO 8601 UTC */
export const writeOutcome = (s3: S3, upload: Origin, at: string, result: object): Promise<void> =>
  writeResult(s3, resultKey(upload.key), upload, at, async () => ({
    [isManifest(upload.key) ? 'manifest' : 'image']: placeOf(upload),
    ...result,
  }));

export const originLabels = ({ version_id = '' }: Origin): Record<string, string> => ({ [originLabel]: version_id });

/** Whether the result of exactly this version of an object exists. */
export async function hasResult(s3: S3, origin: Origin): Promise<boolean> {
  const head = new HeadObjectCommand({ Bucket: origin.bucket, Key: resultKey(origin.key) });
  const found = await s3.send(head).catch(ignoreNotFound);
  return found !== undefined && found.Metadata?.[originLabel] === (origin.version_id ?? '');
}

async function readCurrent(s3: S3, key: string, origin: Origin): Promise<WritablePlace | 'superseded'> {
  const found = await s3.send(new HeadObjectCommand({ Bucket: origin.bucket, Key: key })).catch(ignoreNotFound);
  if (!found?.ETag) return { condition: { IfNoneMatch: '*' }, current: undefined };
  const labels = found.Metadata ?? {};
  const version = labels[originLabel];
  const isOwn = version === (origin.version_id ?? '');
  if (version && !isOwn && (await isLater(s3, origin, version))) return 'superseded';
  return { condition: { IfMatch: found.ETag }, current: isOwn ? labels : undefined };
}

/**
 * Whether another version of an object was stored after this one. S3 lists the versions of a key from the latest to the oldest. A
 * version that was deleted is never later.
 */
async function isLater(s3: S3, { bucket, key, version_id }: Origin, other: string): Promise<boolean> {
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...markers }));
    for (const { Key, VersionId } of page.Versions ?? []) {
      // The key itself precedes those that begin with it.
      if (Key !== key || VersionId === version_id) return false;
      if (VersionId === other) return true;
    }
    if (!page.IsTruncated) return false;
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

/** Whether a conditional write met another one: the file has changed, was deleted, or is being written. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'].includes(error.name);
