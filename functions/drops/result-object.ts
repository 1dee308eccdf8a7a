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

/** A version of an object in the drop folder: what a result is about. */
export interface Origin {
  bucket: string;
  key: string;
  version_id?: string | undefined;
}

const isManifest = (key: string): boolean => ['manifest', 'misnamed_manifest'].includes(kindOf(key));

/** Where the result of an image or a manifest is, by its key: of a manifest, the summary. */
export const resultKey = (key: string): string =>
  isManifest(key) ? `${key}.results/summary.json` : `${key}.result.json`;

/** A place beside an object of the drop folder where a result may be written. */
interface FreePlace {
  /** Holds exactly while nobody else has written there. */
  condition: { IfNoneMatch: '*' } | { IfMatch: string };
  /** The labels of the result of this very version that stands there; undefined where none does. */
  current: Readonly<Record<string, string>> | undefined;
}

/** The label that tells which version a result is about: versions have no order of their own, so it is looked up. */
const originLabel = 'origin-version';

/** What S3 takes for a key, in bytes: a long name of an image leaves no room for that of its result. */
const MOST_KEY_BYTES = 1024;

/** An object's place as results name it. */
export const placeOf = ({ bucket, key, version_id }: Origin): Origin => ({
  bucket,
  key,
  ...(version_id ? { version_id } : {}),
});

export const isPossibleKey = (key: string): boolean => Buffer.byteLength(key) <= MOST_KEY_BYTES;

/** How often a write that others keep overtaking is tried: more of them than this at once are no accident. */
const ATTEMPTS = 10;

/**
 * Writes what is told of one version of an object beside it, and never over what is told of a later version: reads what stands,
 * decides, writes on condition that it still stands, and begins anew when it does not. Whatever else lies there, a file of somebody's
 * own, is overwritten: the name is taken for results, and the bucket keeps its versions.
 * @param write writes under the condition, with `originLabels(origin)` in the object's metadata; or does nothing where what stands
 *   says all
 * @returns `superseded` when what is told of a later version stands there
 */
export async function writeIfNewer(
  s3: S3,
  key: string,
  origin: Origin,
  write: (place: FreePlace) => Promise<unknown>,
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

/** The label that orders the results of one version: a retry of its video ends in a later one. */
const outcomeLabel = 'outcome-of';

/**
 * Writes a result as JSON, unless a later one, or one of a later version of its origin, is there. A key that S3 does not take is
 * passed over.
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

async function readCurrent(s3: S3, key: string, origin: Origin): Promise<FreePlace | 'superseded'> {
  const found = await s3.send(new HeadObjectCommand({ Bucket: origin.bucket, Key: key })).catch(ignoreNotFound);
  if (!found?.ETag) return { condition: { IfNoneMatch: '*' }, current: undefined };
  const labels = found.Metadata ?? {};
  const version = labels[originLabel];
  const isOwn = version === (origin.version_id ?? '');
  if (version && !isOwn && (await isLater(s3, origin, version))) return 'superseded';
  return { condition: { IfMatch: found.ETag }, current: isOwn ? labels : undefined };
}

/**
 * Whether another version of an object was stored after this one. S3 lists the versions of a key with the one stored last first.
 * One that is gone is later than none.
 */
async function isLater(s3: S3, { bucket, key, version_id }: Origin, other: string): Promise<boolean> {
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, ...markers }));
    for (const { Key, VersionId } of page.Versions ?? []) {
      // The key itself comes first among those that begin with it.
      if (Key !== key || VersionId === version_id) return false;
      if (VersionId === other) return true;
    }
    if (!page.IsTruncated) return false;
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

/** Whether a conditional write met another write: what stood there has changed, is gone, or is just being written. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'].includes(error.name);
