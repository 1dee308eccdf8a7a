import { type DropDefaults, type DropRules, ownerName } from '../shared/environment.ts';

/** What an object in the drop folder is, by its key alone: `other` is passed over. */
type DropKind = 'image' | 'sidecar' | 'manifest' | 'other';

const folder = 'drop/';
/** A folder anywhere below whose pictures are for manifests to name: they become no drops, which would be paid as well. */
const picturesOfManifests = '/_images/';
/** A batch of requests, one a line. */
const manifestName = 'manifest.jsonl';

/**
 * Endings of pictures. Wan takes none of the second line, but whoever drops one wants a video and so an answer; and what a file is
 * inside is told by its bytes: a phone's `.heic` may well be a JPEG.
 */
const imageEnding = /\.(?:jpe?g|png|bmp|webp|gif|hei[cf]|tiff?|avif|svg)$/i;

/** Endings of a sidecar behind its image's whole name; some programs write capitals. */
const sidecarEndings = ['.json', '.JSON'];

/**
 * What an object is, by its key. What is written beside a drop (`….result.json`, `….mp4`, `….results/000001.json`) is `other`, so nothing
 * of ours starts anything.
 */
export function kindOf(key: string): DropKind {
  const name = key.slice(key.lastIndexOf('/') + 1);
  // macOS leaves `._cat.jpg` beside cat.jpg on every card and stick it touches: no picture, and nobody's wish.
  if (!key.startsWith(folder) || name.startsWith('._')) return 'other';
  if (name === manifestName) return 'manifest';
  if (key.includes(picturesOfManifests)) return 'other';
  if (imageEnding.test(name)) return 'image';
  return imageOfSidecar(key) === undefined ? 'other' : 'sidecar';
}

/** The key of the image that a sidecar is for; undefined for a key that is no sidecar's. */
export function imageOfSidecar(key: string): string | undefined {
  const ending = sidecarEndings.find((ending) => key.endsWith(ending));
  const image = ending && key.slice(0, -ending.length);
  return image && imageEnding.test(image) ? image : undefined;
}

/** Where the sidecar of an image may lie, the likelier place first. */
export const sidecarKeys = (image: string): string[] => sidecarEndings.map((ending) => image + ending).filter(fitsKey);

/** Where the defaults of an image may lie: in its folder, then in each that holds this one, up to the drop folder. */
export function defaultsKeys(image: string): string[] {
  const folders = [...image.matchAll(/\//g)].map(({ index }) => image.slice(0, index + 1));
  return folders
    .toReversed()
    .map((folder) => `${folder}_defaults.json`)
    .filter(fitsKey);
}

/** A key of S3 has at most 1,024 bytes of UTF-8; asking for a longer one is an error. */
const fitsKey = (key: string): boolean => Buffer.byteLength(key) <= 1024;

/**
 * Whose a drop is, by the top folder of its key: `drop/<folder>/…`. What lies in `drop/` itself is the defaults' owner's, as is
 * all that a table of folders does not list.
 * @returns undefined for a folder that names an owner by rule and can't: no owner is called so
 */
export function ownerOf(
  key: string,
  { owners }: Pick<DropRules, 'owners'>,
  defaults: Pick<DropDefaults, 'owner'>,
): string | undefined {
  const folder = topFolder(key);
  if (owners === 'one' || folder === undefined) return defaults.owner;
  if (owners === 'folders') return ownerName.safeParse(folder).data;
  return Object.hasOwn(owners, folder) ? owners[folder] : defaults.owner;
}

/** The name of the folder right below `drop/` that holds a key; undefined for a key in `drop/` itself. */
export function topFolder(key: string): string | undefined {
  const [, folder, ...below] = key.split('/');
  return below.length > 0 ? folder : undefined;
}
