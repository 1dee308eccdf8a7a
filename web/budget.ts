import type { Api, Usage } from './api.ts';
import type { Connection } from './connection.ts';
import { find } from './dom.ts';
import { formatMoney } from './formatting.ts';

/** Shows the spending of this month, and whether the chosen video fits into its limit. */
export interface Budget {
  /** Reads the usage of this month. */
  refresh(): Promise<void>;
  /** @param amount price of the chosen video; undefined where it is unknown */
  choose(amount: number | undefined): void;
  clear(): void;
}

export function createBudget(page: ParentNode, api: Pick<Api, 'usage'>, connection: Connection): Budget {
  const line = find(page, '#usage', HTMLElement);
  let usage: Usage | undefined;
  let chosen: number | undefined;
  /** Only the response to the latest request counts. */
  let latest = 0;

  function show(): void {
    line.textContent = usage ? formatUsage(usage, chosen) : '';
    line.classList.toggle('over-limit', usage !== undefined && exceedsLimit(usage, chosen));
  }

  return {
    async refresh() {
      latest += 1;
      const request = latest;
      const current = await connection.attempt(() => api.usage());
      if (current === 'failed' || request !== latest) return;
      usage = current;
      show();
    },
    choose(amount) {
      chosen = amount;
      show();
    },
    clear() {
      latest += 1;
      usage = undefined;
      show();
    },
  };
}

/** @param amount price of the chosen video; undefined where it is unknown */
const exceedsLimit = ({ remaining }: Pick<Usage, 'remaining'>, amount: number | undefined): boolean =>
  remaining !== null && amount !== undefined && amount > remaining;

/** `November: $1.26 spent, $0.18 in progress, $8.56 of $10.00 left.` */
export function formatUsage(usage: Usage, amount: number | undefined): string {
  const { month, currency, spent, reserved, limit, remaining } = usage;
  const money = (value: number) => formatMoney(value, currency);
  const verdict = exceedsLimit(usage, amount) ? ': not enough for this video' : '';
  const parts = [
    `${money(spent)} spent`,
    ...(reserved > 0 ? [`${money(reserved)} in progress`] : []),
    ...(limit === null ? [] : [`${money(remaining ?? 0)} of ${money(limit)} left`]),
  ];
  return `${formatMonth(month)}: ${parts.join(', ')}${verdict}.`;
}

const formatMonth = (month: string): string =>
  new Date(month).toLocaleDateString('en-GB', { month: 'long', timeZone: 'UTC' });
