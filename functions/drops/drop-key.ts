import { type DropDefaults, type DropRules, ownerName } from '../shared/environment.ts';
import { isNearName } from '../shared/near-name.ts';

/**
 * What an object in the drop folder is, by its key alone. `unnamed`: its name has no ending, so its bytes and content type decide
 * whether it is an image. `last_frame`: that of an image's video. `misnamed_manifest`: nearly `manifest.jsonl`. `other`: ignored.
 */
type DropKind = 'image' | 'unnamed' | 'last_frame' | 'sidecar' | 'manifest' | 'misnamed_manifest' | 'other';

const folder = 'drop/';
export const MANIFEST_NAME = 'manifest.jsonl';
export const DEFAULTS_NAME = '_defaults.json';

/**
 * Endings of images. Wan reads few of these formats, but a user who uploads one gets a result; and the bytes decide what a file is: a
 * phone's `.heic` may well be a JPEG.
 */
const imageEndings = 'jpe?g|jpe|jfif|jfi|jif|pjpeg|pjp|a?png|bmp|dib|webp|gif|hei[cf]|hif|tiff?|avif|jxl|svg';
/** With what follows it by accident: blanks and dots. */
const imageEnding = new RegExp(`\\.(?:${imageEndings})[\\s.]*$`, 'i');

/** An ending has a letter: the last part of `Scan 2026.01.05` is no ending. */
const anyEnding = /\.[\w-]*[a-z][\w-]*[\s.]*$/i;

/** Endings of a sidecar after its image's whole name; some programs write capitals. */
const sidecarEndings = ['.json', '.JSON'];

/**
 * Names that start nothing, wherever they are in a key: hidden files and folders, trash and thumbnails of operating systems, file
 * servers and sync programs. `_…` is for files that are done, `_defaults.json` and the images of manifests.
 */
const reservedStart = /^[.@#$~_]/;
const reservedNames: ReadonlySet<string> = new Set([
  'lost+found',
  'system volume information',
  'recycler',
  'recycled',
  'recycle bin',
  'network trash folder',
  'temporary items',
  'trash',
  'files_trashbin',
  'files_versions',
  'thumb',
  'thumbs',
  'thumbnails',
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  'albumartsmall.jpg',
]);
/** The last ones are the backups of editors and rsync (`a.jpg~`, `a.jpg.~1~`), and what is not yet complete (`a.jpg.!sync`). */
const reservedPatterns = /^(?:found\.\d{3}|albumart_\{.*|.*\.jsonl\.results|.*~|.*\.!\w+)$/;

function isReserved(segment: string): boolean {
  const name = segment.trim().toLowerCase();
  return reservedStart.test(name) || reservedNames.has(name) || reservedPatterns.test(segment.toLowerCase());
}

/** What an object is, by its key. The results that firstframe writes are `other`, so they start nothing. */
export function kindOf(key: string): DropKind {
  const segments = key.slice(folder.length).split('/');
  const name = segments.at(-1)!;
  if (!key.startsWith(folder) || name === '' || segments.some(isReserved)) return 'other';
  if (name === MANIFEST_NAME) return 'manifest';
  if (isNearManifest(name)) return 'misnamed_manifest';
  if (imageOfLastFrame(key) !== undefined) return 'last_frame';
  if (imageEnding.test(name)) return 'image';
  if (imageOfSidecar(key) !== undefined) return 'sidecar';
  return anyEnding.test(name) ? 'other' : 'unnamed';
}

/** The part of a key after its last slash. */
export const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);

/** A key in the forms in which Unicode may write it: programs on different systems compose characters differently. */
export const unicodeForms = (key: string): string[] => [...new Set([key, key.normalize('NFC'), key.normalize('NFD')])];

/** The key of the image that a sidecar is for; undefined for a key that is no sidecar's. */
export function imageOfSidecar(key: string): string | undefined {
  const ending = sidecarEndings.find((ending) => key.endsWith(ending));
  const image = ending && key.slice(0, -ending.length);
  if (!image || nameOf(image) === '') return undefined;
  return imageEnding.test(image) || !anyEnding.test(nameOf(image)) ? image : undefined;
}

/** A last frame has its image's whole name before `.last` and its own ending. */
const lastFrameName = new RegExp(`^(.+\\.(?:${imageEndings}))\\.last\\.(?:${imageEndings})$`, 'i');

/** The key of the image whose video ends with a last frame; undefined for a key that is no last frame's. */
export const imageOfLastFrame = (key: string): string | undefined => lastFrameName.exec(key)?.[1];

/** The folders whose `_defaults.json` may apply to an image: its own, then each that holds this one, up to the drop folder. */
export function foldersOf(image: string): string[] {
  return [...image.matchAll(/\//g)].map(({ index }) => image.slice(0, index + 1)).toReversed();
}

/** What an editor, a browser or an upload that is not finished adds to a name. */
const added = '(?:\\s|\\(\\d+\\)|\\.(?:json|txt|rtf|tmp|part|partial|filepart|download|crdownload))*';
const jsonName = new RegExp(`^(.+?)[\\s._-](?:json[5cl]?|jso|jsn|jsno|jsom|josn|jason|sjon)${added}$`);
const addedAtEnd = new RegExp(`${added}$`);

/** A name without what does not distinguish it for a person. */
const fold = (name: string): string => name.normalize('NFC').toLowerCase().trim();

/**
 * How closely a file has the name of an image's sidecar: 0 is the name itself, in any Unicode form; a higher rank is a name that was
 * probably meant as the sidecar's, the less likely the higher. Undefined for any other name.
 */
export function sidecarRank(image: string, name: string): number | undefined {
  const composed = name.normalize('NFC');
  if (sidecarEndings.some((ending) => composed === image.normalize('NFC') + ending)) return 0;
  const base = jsonName.exec(fold(name))?.[1]?.trim();
  if (base === undefined) return undefined;
  const whole = fold(image);
  const stemOf = (name: string) => name.replace(imageEnding, '').trim();
  const stem = stemOf(whole);
  const cut = base.replace(addedAtEnd, '').trim();
  const isMeant = [base === whole, base === stem, stemOf(base) === stem, cut === whole, cut === stem];
  const rank = isMeant.indexOf(true);
  return rank === -1 ? undefined : rank + 1;
}

/** Whether a file was probably meant to be the defaults of its folder; not for the right name itself. */
export function isNearDefaults(name: string): boolean {
  const base = jsonName.exec(fold(name))?.[1]?.replace(addedAtEnd, '');
  return name !== DEFAULTS_NAME && base !== undefined && isNearName(base, '_defaults', 2);
}

/** Whether a file was probably meant to be a manifest. */
function isNearManifest(name: string): boolean {
  const [, base, ending] = /^(.+)\.(jsonl?|jsnl|josnl|jsonlines|ndjson|ldjson|jl)(?:\.txt)?$/.exec(fold(name)) ?? [];
  // Other programs have a `.json` for each of many words.
  if (base === undefined || ending === 'json') return base === 'manifest';
  return base.includes('manifest') || isNearName(base, 'manifest', 2);
}

/**
 * Returns the owner of a drop by the top folder of its key: `drop/<folder>/…`. Objects directly in `drop/`, and folders that a table
 * of owners does not list, belong to the default owner.
 * @returns undefined where the folder has to name the owner, and its name cannot be one
 */
export function ownerOf(
  key: string,
  { owners }: Pick<DropRules, 'owners'>,
  defaults: Pick<DropDefaults, 'owner'>,
): string | undefined {
  const folder = topFolder(key)?.normalize('NFC');
  if (owners === 'one' || folder === undefined) return defaults.owner;
  if (owners === 'folders') return ownerName.safeParse(folder).data;
  const listed = Object.entries(owners).find(([name]) => name.normalize('NFC') === folder);
  return listed?.[1] ?? defaults.owner;
}

/** The name of the folder directly below `drop/` that holds a key; undefined for a key in `drop/` itself. */
export function topFolder(key: string): string | undefined {
  const [, folder, ...below] = key.split('/');
  return below.length > 0 ? folder : undefined;
}
