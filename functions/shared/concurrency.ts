/**
 * Processes all items, at most `limit` concurrently. An error with one item does not stop the others.
 * @returns the outcomes in the order of the items
 */
export async function settleAll<Item, Outcome>(
  limit: number,
  items: readonly Item[],
  work: (item: Item) => Promise<Outcome>,
): Promise<PromiseSettledResult<Outcome>[]> {
  const outcomes: PromiseSettledResult<Outcome>[] = new Array(items.length);
  const rest = items.entries();
  const worker = async () => {
    for (const [index, item] of rest)
      [outcomes[index]] = (await Promise.allSettled([work(item)])) as [PromiseSettledResult<Outcome>];
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return outcomes;
}

/** Returns the values of the outcomes. @throws AggregateError with all errors, when there are any */
export function valuesOf<Outcome>(outcomes: readonly PromiseSettledResult<Outcome>[], what: string): Outcome[] {
  const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} ${what}`);
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** Steps of the golden ratio around a circle stay evenly spaced, even when some of them are skipped. */
const goldenRatio = (Math.sqrt(5) - 1) / 2;

/**
 * Rotates the list by another offset each minute, so that under a time limit every item gets processed eventually, also when this is
 * called only every few minutes.
 * @param now milliseconds since 1970
 */
export function rotate<Item>(items: readonly Item[], now: number): Item[] {
  const first = Math.floor(((Math.floor(now / 60_000) * goldenRatio) % 1) * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}
