import type { LaneState } from './lane.ts';

type Served = Pick<LaneState, 'served'>;

/** The owner who was served last; undefined in a lane that never served anybody. */
export const servedLast = ({ served }: Served): string | undefined =>
  [...served].reduce<[owner: string, at: number] | undefined>(
    (last, each) => (last && last[1] >= each[1] ? last : each),
    undefined,
  )?.[0];

/**
 * Fairness between owners: who was served longest ago comes first, and whoever never was before that. Who can't be told apart
 * so keeps the order that they come in. Since whoever is served goes to the end, everybody's second comes after everybody's first.
 */
export const inTurn = <Waiting extends { owner: string }>(
  waiting: readonly Waiting[],
  { served }: Served,
): Waiting[] => {
  const at = ({ owner }: Waiting): number => served.get(owner) ?? 0;
  return waiting.toSorted((one, other) => at(one) - at(other));
};
