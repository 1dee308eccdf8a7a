import { createHash } from 'node:crypto';

/** Returns a number from 0 to 1 that depends only on the names. */
export function dice(...names: readonly (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(names)).digest().readUInt32BE() / 2 ** 32;
}

/**
 * Chooses one of several names, or none.
 * @param thrown a number from 0 to 1
 * @param rates the probability of each name; together at most 1
 */
export function choose<Name extends string>(thrown: number, rates: Partial<Record<Name, number>>): Name | undefined {
  let sum = 0;
  for (const [name, rate] of Object.entries(rates) as [Name, number][]) {
    sum += rate;
    if (thrown < sum) return name;
  }
  return undefined;
}

/** Returns a counter of occurrences per name, starting at 0. */
export function createOccurrences(): (...names: readonly string[]) => number {
  const counts = new Map<string, number>();
  return (...names) => {
    const name = JSON.stringify(names);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count;
  };
}
