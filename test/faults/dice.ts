import { createHash } from 'node:crypto';

/** A number from 0 to 1 that the names alone decide: whoever asks, and whenever, gets the same. */
export function dice(...names: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(names)).digest().readUInt32BE() / 2 ** 32;
}

/**
 * One of several things, or nothing.
 * @param thrown from 0 to 1
 * @param rates how often each is to come; together at most 1
 */
export function choose<Name extends string>(thrown: number, rates: Partial<Record<Name, number>>): Name | undefined {
  let sum = 0;
  for (const [name, rate] of Object.entries(rates) as [Name, number][]) {
    sum += rate;
    if (thrown < sum) return name;
  }
  return undefined;
}

/** Counts how often each name comes: 0 for the first time. */
export function createOccurrences(): (...names: readonly string[]) => number {
  const counts = new Map<string, number>();
  return (...names) => {
    const name = JSON.stringify(names);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count;
  };
}
