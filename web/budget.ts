import type { Api, Usage } from './api.ts';
import type { Connection } from './connection.ts';
import { find } from './dom.ts';
import { isTooMuch, usageInWords } from './usage-words.ts';

/** What this month has cost so far, and whether the chosen video still fits into its limit. */
export interface Budget {
  /** Asks for the month's figures. */
  refresh(): Promise<void>;
  /** @param amount of the chosen video; undefined where it is not known */
  choose(amount: number | undefined): void;
  clear(): void;
}

export function createBudget(page: ParentNode, api: Pick<Api, 'usage'>, connection: Connection): Budget {
  const place = find(page, '#usage', HTMLElement);
  let usage: Usage | undefined;
  let chosen: number | undefined;
  /** Of two answers the one that was asked for later counts. */
  let latest = 0;

  function show(): void {
    place.textContent = usage ? usageInWords(usage, chosen) : '';
    place.classList.toggle('over', usage !== undefined && isTooMuch(usage, chosen));
  }

  return {
    async refresh() {
      latest += 1;
      const mine = latest;
      const answer = await connection.attempt(() => api.usage());
      if (answer === 'failed' || mine !== latest) return;
      usage = answer;
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
