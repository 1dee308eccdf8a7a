/** The golden section: of all steps around a circle the one whose stops lie apart most evenly, whichever of them are left out. */
const step = (Math.sqrt(5) - 1) / 2;

/**
 * The items in their order, but begun at another one each minute and around: where there is time for some of them alone, each gets
 * its turn, also when it is asked for every so many minutes only.
 * @param now milliseconds since 1970
 */
export function beginElsewhere<Item>(items: readonly Item[], now: number): Item[] {
  const first = Math.floor(((Math.floor(now / 60_000) * step) % 1) * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}
