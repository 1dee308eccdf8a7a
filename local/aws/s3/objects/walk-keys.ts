import { compareBytes, lowerBound } from '../store/byte-order.ts';

export interface WalkOptions {
  prefix: string;
  /** Keys that share what precedes its first occurrence after the prefix are rolled up into one. @default '' rolls up none */
  delimiter: string;
  /** Only what comes after this key or rolled-up prefix. */
  after: string;
  /** Whether a key is there to be listed. */
  visible: (key: string) => boolean;
}

/** A key, or the common prefix of several. */
export type WalkItem = { key: string } | { common_prefix: string };

/** Walks keys in order as S3's listings do. */
export function* walkKeys(keys: readonly string[], options: WalkOptions): Generator<WalkItem> {
  const { prefix, delimiter, after } = options;
  let rolledUp: string | undefined;
  for (let at = lowerBound(keys, compareBytes(prefix, after) > 0 ? prefix : after); at < keys.length; at++) {
    const key = keys[at]!;
    if (!key.startsWith(prefix)) return;
    if (key === after || (rolledUp !== undefined && key.startsWith(rolledUp))) continue;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const commonPrefix = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    if (commonPrefix !== undefined && commonPrefix === after) {
      rolledUp = commonPrefix;
      continue;
    }
    if (!options.visible(key)) continue;
    if (commonPrefix === undefined) {
      yield { key };
    } else {
      rolledUp = commonPrefix;
      yield { common_prefix: commonPrefix };
    }
  }
}
