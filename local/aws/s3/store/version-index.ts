import type { ObjectVersion } from './records.ts';

/** All versions of a bucket's objects, in memory. */
export interface VersionIndex {
  /** All keys with a version or delete marker, ordered by UTF-8 bytes. */
  keys(): readonly string[];
  /** Newest first. Empty for an unknown key. */
  versions(key: string): readonly ObjectVersion[];
  find(key: string, versionId: string): ObjectVersion | undefined;
  /**
   * Adds the newest version, or replaces the one with the same id. A replacement with the same sequence keeps its
   * position.
   */
  put(version: ObjectVersion): void;
  remove(key: string, versionId: string): void;
}

export function createVersionIndex(): VersionIndex {
  const byKey = new Map<string, ObjectVersion[]>();
  // Sorted at the first read, so that loading thousands of keys sorts once. Each later change keeps the order.
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
      const remaining = (byKey.get(key) ?? []).filter((version) => version.version_id !== versionId);
      if (remaining.length > 0) {
        byKey.set(key, remaining);
        return;
      }
      if (byKey.delete(key)) sorted?.splice(lowerBound(sorted, key), 1);
    },
  };
}

/** Orders strings by their UTF-8 bytes, that is by code point. UTF-16 would sort U+E000–U+FFFF after the surrogates. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Returns the index of the first element of `sorted` that is not less than `key`. */
export function lowerBound(sorted: readonly string[], key: string): number {
  let start = 0;
  let end = sorted.length;
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (compareBytes(sorted[middle]!, key) < 0) start = middle + 1;
    else end = middle;
  }
  return start;
}
