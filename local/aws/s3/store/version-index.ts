import type { ObjectVersion } from './records.ts';

/** All versions of a bucket's objects, in memory. */
export interface VersionIndex {
  /** Every key with a version or delete marker, ordered by UTF-8 bytes. */
  keys(): readonly string[];
  /** Newest first; empty for an unknown key. */
  versions(key: string): readonly ObjectVersion[];
  find(key: string, versionId: string): ObjectVersion | undefined;
  /** Adds the newest version, or replaces the one with the same id: in its place when the sequence is the same as well. */
  put(version: ObjectVersion): void;
  remove(key: string, versionId: string): void;
}

export function createVersionIndex(): VersionIndex {
  const byKey = new Map<string, ObjectVersion[]>();
  // Sorted when first asked for, so that a load of thousands sorts once; kept in order by each change from then on.
  let sorted: string[] | undefined;

  return {
    keys: () => {
      sorted ??= [...byKey.keys()].sort(compareBytes);
      return sorted;
    },
    versions: (key) => byKey.get(key) ?? [],
    find: (key, versionId) => byKey.get(key)?.find((version) => version.version_id === versionId),
    put: (version) => {
      const versions = byKey.get(version.key);
      if (!versions) {
        byKey.set(version.key, [version]);
        sorted?.splice(lowerBound(sorted, version.key), 0, version.key);
        return;
      }
      const at = versions.findIndex((other) => other.version_id === version.version_id);
      if (at >= 0 && versions[at]!.sequence === version.sequence) {
        versions[at] = version;
        return;
      }
      if (at >= 0) versions.splice(at, 1);
      versions.unshift(version);
    },
    remove: (key, versionId) => {
      const kept = (byKey.get(key) ?? []).filter((version) => version.version_id !== versionId);
      if (kept.length > 0) {
        byKey.set(key, kept);
        return;
      }
      if (byKey.delete(key)) sorted?.splice(lowerBound(sorted, key), 1);
    },
  };
}

/** Orders strings as their UTF-8 bytes: by code point, where UTF-16 puts U+E000–U+FFFF behind the surrogates. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Position of the first of `sorted` that is not less than `key`. */
export function lowerBound(sorted: readonly string[], key: string): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (compareBytes(sorted[middle]!, key) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
