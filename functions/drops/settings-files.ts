import type { S3Client } from '@aws-sdk/client-s3';
import { type ListedObject, listPage } from '../shared/s3.ts';
import {
  DEFAULTS_NAME,
  foldersOf,
  imageOfLastFrame,
  isNearDefaults,
  nameOf,
  sidecarRank,
  unicodeForms,
} from './drop-key.ts';
import { isPossibleKey } from './result-object.ts';
import { purposeOf } from './settings-purpose.ts';

/** How settings files are found and read; `compose` builds it. */
export interface SettingsStore {
  /** The first files whose keys begin with a prefix, without those in folders below it. */
  listFiles: (at: { bucket: string; prefix: string }) => Promise<FileList>;
  /** Reads a small file in its latest version; undefined when it does not exist. */
  readFile: (file: { bucket: string; key: string }) => Promise<Uint8Array | undefined>;
}

interface FileList {
  files: ListedObject[];
  /** Whether there are more. */
  isTruncated: boolean;
}

/** A longer page takes a 512 MB function longer to parse than the requests for another spelling. */
const PAGE = 100;

export async function listFiles(
  s3: Pick<S3Client, 'send'>,
  { bucket, prefix }: { bucket: string; prefix: string },
): Promise<FileList> {
  const page = await listPage(s3, { Bucket: bucket, Prefix: prefix, Delimiter: '/', MaxKeys: PAGE });
  return { files: page.objects, isTruncated: page.isTruncated };
}

interface ReadFile extends ListedObject {
  bytes: Uint8Array;
}

/** The settings files and the last frame of an image at this moment. */
interface SettingsFiles {
  sidecar: ReadFile | undefined;
  /** The nearest `_defaults.json`. */
  defaults: ReadFile | undefined;
  /** Images that the video is to end with; more than one is a mistake. */
  lastFrames: ListedObject[];
  /** Files whose content is settings and whose name is nearly right: with the name that would be read. */
  misnamed: (ListedObject & { name: string })[];
}

/**
 * Finds the sidecar and the nearest defaults of an image. One ListObjectsV2 for each folder on its path finds the names that are
 * nearly right as well; a folder of more files than a page takes one more for each way to spell them. The image's own folder comes
 * last, so that a sidecar that arrives meanwhile still counts.
 */
export async function findSettingsFiles(
  store: SettingsStore,
  { bucket, key }: { bucket: string; key: string },
): Promise<SettingsFiles> {
  const [own, ...above] = foldersOf(key);
  const image = nameOf(key);
  const filesAbove = await Promise.all(above.map((folder) => filesIn(store, bucket, folder)));
  const ownFiles = await filesIn(store, bucket, own!, image);
  const isLastFrame = (file: ListedObject) => imageOfLastFrame(file.key)?.normalize('NFC') === key.normalize('NFC');
  const lastFrames = ownFiles.filter(isLastFrame);
  const found: SettingsFiles = { sidecar: undefined, defaults: undefined, lastFrames, misnamed: [] };
  const read = async (file: ListedObject): Promise<ReadFile | undefined> => {
    const bytes = await store.readFile({ bucket, key: file.key });
    return bytes && { ...file, bytes };
  };
  const addMisnamed = async (file: ListedObject, name: string): Promise<void> => {
    const content = await read(file);
    if (content && purposeOf(content.bytes) === 'settings') found.misnamed.push({ ...file, name });
  };

  for (const files of [ownFiles, ...filesAbove]) {
    const right = files.find(({ key }) => nameOf(key) === DEFAULTS_NAME);
    found.defaults = right && (await read(right));
    if (found.defaults) break;
    for (const near of files.filter(({ key }) => isNearDefaults(nameOf(key)))) await addMisnamed(near, DEFAULTS_NAME);
  }
  const ranked = ownFiles.flatMap((file) => {
    const rank = file.key === `${key}.json` ? -1 : sidecarRank(image, nameOf(file.key));
    return rank === undefined ? [] : [{ file, rank }];
  });
  for (const { file, rank } of ranked.sort((one, other) => one.rank - other.rank)) {
    if (rank <= 0) {
      const sidecar = await read(file);
      if (sidecar && purposeOf(sidecar.bytes) !== 'other_program') return { ...found, sidecar };
    } else if (!ownFiles.some((other) => fitsBetter(other, file, rank))) {
      await addMisnamed(file, `${image}.json`);
    }
  }
  return found;
}

/** Whether the name of a file fits another image of the folder better. */
const fitsBetter = (other: ListedObject, file: ListedObject, rank: number): boolean =>
  (sidecarRank(nameOf(other.key), nameOf(file.key)) ?? rank) < rank;

/**
 * Returns the files directly in a folder, in each Unicode form of its name; of a large folder only its first files, and those that
 * begin like `_defaults.json` or like the image's name. The key that equals a prefix is the first of its list, so the right names are
 * always found.
 */
async function filesIn(store: SettingsStore, bucket: string, folder: string, image?: string): Promise<ListedObject[]> {
  const folders = unicodeForms(folder);
  const list = (...starts: string[]) => {
    const prefixes = folders.flatMap((form) => starts.map((start) => form + start)).filter(isPossibleKey);
    return Promise.all(prefixes.map((prefix) => store.listFiles({ bucket, prefix })));
  };
  const isTruncated = (lists: FileList[]) => lists.some(({ isTruncated }) => isTruncated);
  const lists = await list('');
  if (isTruncated(lists)) {
    const stems = image === undefined ? [] : spellings(`${image.replace(/\.[^.]*$/, '')}.`);
    const narrower = await list('_', ...stems);
    const sidecars =
      image === undefined
        ? []
        : unicodeForms(image).flatMap((form) => [`${form}.json`, `${form}.JSON`, `${form}.last.`]);
    lists.push(...narrower);
    if (isTruncated(narrower)) lists.push(...(await list(DEFAULTS_NAME, '_de', '_De', '_DE', ...sidecars)));
  }
  return [...new Map(lists.flatMap(({ files }) => files.map((file) => [file.key, file]))).values()];
}

/** The ways in which people and programs write a name. */
function spellings(name: string): string[] {
  const lower = name.toLowerCase();
  const capitalized = lower.replace(/\p{L}/u, (letter) => letter.toUpperCase());
  return [...new Set([name, lower, name.toUpperCase(), capitalized].flatMap(unicodeForms))];
}
