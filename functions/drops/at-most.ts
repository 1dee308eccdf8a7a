/**
 * Works on all items, so many at once at most. Whatever goes wrong with one keeps no other from its turn.
 * @returns the outcomes in the order of the items
 */
export async function atMost<Item, Outcome>(
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
