import type { Spending } from '../video/spending.ts';
import type { Price } from '../wan/prices.ts';
import { Problem } from './problem.ts';

/** The 403 for a video that would cost more than its owner may still spend this month (`YYYY-MM`). */
export function spendingLimitReached(
  limit: number,
  month: string,
  { spent, reserved }: Spending,
  price: Price,
): Problem {
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
