import { isWithinLimit, monthOf, readSpending, type Spending } from '../video/spending.ts';
import type { Table } from '../video/store.ts';
import type { Price } from '../wan/prices.ts';
import { Problem } from './problem.ts';

export interface SpendingRules {
  table: Table;
  /** What an owner may spend in a calendar month, in the region's currency; undefined means as much as they like. */
  monthlySpendingLimit: number | undefined;
}

/**
 * Refuses a video that its owner can't afford this month, as far as is known now: concurrent requests race past this, and none
 * past its reservation later.
 * @param price undefined where none is known: nothing is counted then
 * @throws Problem 403
 */
export async function refuseOverspending(
  { table, monthlySpendingLimit: limit }: SpendingRules,
  owner: string,
  price: Price | undefined,
): Promise<void> {
  if (limit === undefined || !price) return;
  const month = monthOf(table.now());
  const spending = await readSpending(table, owner, month);
  if (!isWithinLimit(spending, price, limit)) throw spendingLimitReached(limit, month, spending, price);
}

/** The 403 for a video that would cost more than its owner may still spend this month (`YYYY-MM`). */
function spendingLimitReached(limit: number, month: string, { spent, reserved }: Spending, price: Price): Problem {
  const amount = (figure: number) => `${Number(figure.toFixed(2))} ${price.currency}`;
  return new Problem(403, {
    code: 'spending_limit_reached',
    title: 'The spending limit does not allow this video.',
    detail:
      `The limit for ${month} is ${amount(limit)}: ${amount(spent)} are spent, ${amount(reserved)} are reserved for videos ` +
      `under way, and this one may cost ${amount(price.amount)}. Ask for a shorter or smaller video or a cheaper model, wait for ` +
      'the next month (UTC), or have the limit raised. GET /usage tells how it stands.',
  });
}
