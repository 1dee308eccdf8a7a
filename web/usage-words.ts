import type { Usage } from './api.ts';
import { moneyInWords } from './words.ts';

/** Whether a video that costs so much is more than the month's limit has left. @param amount undefined where it is not known */
export const isTooMuch = ({ remaining }: Pick<Usage, 'remaining'>, amount: number | undefined): boolean =>
  remaining !== null && amount !== undefined && amount > remaining;

/** `November: $1.26 spent, $0.18 under way, $8.56 of $10.00 left.` */
export function usageInWords(usage: Usage, amount: number | undefined): string {
  const { month, currency, spent, reserved, limit, remaining } = usage;
  const money = (figure: number) => moneyInWords(figure, currency);
  const verdict = isTooMuch(usage, amount) ? ': too little for this video' : '';
  const parts = [
    `${money(spent)} spent`,
    ...(reserved > 0 ? [`${money(reserved)} under way`] : []),
    ...(limit === null ? [] : [`${money(remaining ?? 0)} of ${money(limit)} left`]),
  ];
  return `${monthInWords(month)}: ${parts.join(', ')}${verdict}.`;
}

const monthInWords = (month: string): string =>
  new Date(month).toLocaleDateString('en-GB', { month: 'long', timeZone: 'UTC' });
