import { isJsonObject, parseJson } from '../shared/json-body.ts';
import { isNearName } from '../shared/near-name.ts';
import { isVideoId } from '../video/keys.ts';

/** A prompt and a negative prompt of the most characters that are accepted, in any language, and some. */
export const MAX_SETTINGS_BYTES = 256 * 1024;

/**
 * What a JSON file next to an image is for, by its content: `settings` of a video, even misspelt ones, or broken, so that they
 * may be; something that a known `other_program` keeps there; or `unclear`.
 */
export function purposeOf(bytes: Uint8Array): 'settings' | 'other_program' | 'unclear' {
  if (bytes.byteLength > MAX_SETTINGS_BYTES) return 'unclear';
  if (appleDouble.equals(bytes.subarray(0, 4))) return 'other_program';
  let value: unknown;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return 'settings';
  }
  const object = Array.isArray(value) ? (value[0] as unknown) : value;
  if (!isJsonObject(object)) return 'unclear';
  const fields = Object.entries(object);
  if (fields.some(isOfSettings)) return 'settings';
  return fields.some(([name]) => otherPrograms.has(name)) ? 'other_program' : 'unclear';
}

/** The beginning of the `._…` files in which macOS keeps the attributes of a file. */
const appleDouble = Buffer.from([0, 5, 22, 7]);

/** Fields that only settings of a video have: cameras and catalogs also write "model", "duration" or "resolution". */
function isOfSettings([name, value]: [string, unknown]): boolean {
  const folded = name.toLowerCase();
  if (folded === 'input' || folded === 'parameters') return isJsonObject(value);
  if (folded === 'model') return typeof value === 'string' && /^wan\d/i.test(value);
  return (
    folded.includes('prompt') ||
    isNearName(folded, 'prompt', 1) ||
    (folded === 'sidecar' && value === 'required') ||
    (folded === 'extends' && typeof value === 'string' && isVideoId(value))
  );
}

/** Fields of files that programs keep under the name of a sidecar: Google Takeout, ExifTool, gallery-dl and labelme. */
const otherPrograms: ReadonlySet<string> = new Set([
  ...['photoTakenTime', 'creationTime', 'geoData', 'googlePhotosOrigin', 'imageViews'],
  ...['SourceFile', 'ExifToolVersion', 'subcategory', 'shapes', 'imagePath'],
]);
