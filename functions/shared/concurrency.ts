/**
 * Works on all items, so many at once at most. Whatever goes wrong with one keeps no other from its turn.
 * @returns the outcomes in the order of the items
 */
export async function settleAll<Item, Outcome>(
  most: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Outcome>,
): Promise<PromiseSettledResult<Outcome>[]> {
  const outcomes: PromiseSettledResult<Outcome>[] = new Array(items.length);
  const rest = items.entries();
  const worker = async () => {
    for (const [index, item] of rest)
      [outcomes[index]] = (await Promise.allSettled([work(item)])) as [PromiseSettledResult<Outcome>];
  };
  await Promise.all(Array.from({ length: most }, worker));
  return outcomes;
}

/** The values of outcomes that are all good. @throws AggregateError with what went wrong */
export function valuesOf<Outcome>(outcomes: readonly PromiseSettledResult<Outcome>[], what: string): Outcome[] {
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} ${what}`);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** The golden section: of all steps around a circle the one whose stops lie apart most evenly, whichever of them are left out. */
const step = (Math.sqrt(5) - 1) / 2;

/**
 * The items in their order, but begun at another one each minute and around: where there is time for some of them alone, each gets
 * its turn, also when it is asked for every so many minutes only.
 * @param now milliseconds since 1970
 */
export function rotate<Item>(items: readonly Item[], now: number): Item[] {
  const first = Math.floor(((Math.floor(now / 60_000) * step) % 1) * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}
