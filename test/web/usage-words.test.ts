import { expect, test } from 'vitest';
import type { Usage } from '../../web/api.ts';
import { usageInWords } from '../../web/usage-words.ts';

const usage: Usage = {
  month: '2026-11',
  currency: 'USD',
  spent: 1.26,
  reserved: 0,
  limit: null,
  remaining: null,
  videos: 3,
  models: [],
};
const limited: Usage = { ...usage, reserved: 0.18, limit: 10, remaining: 8.56 };

test.each<[string, Usage, number | undefined, string]>([
  ['a month without a limit', usage, 99, 'November: $1.26 spent.'],
  ['videos under way', { ...usage, reserved: 0.18 }, 1, 'November: $1.26 spent, $0.18 under way.'],
  ['a limit', limited, 8.56, 'November: $1.26 spent, $0.18 under way, $8.56 of $10.00 left.'],
  [
    'a limit that the chosen video does not fit into',
    limited,
    8.57,
    'November: $1.26 spent, $0.18 under way, $8.56 of $10.00 left: too little for this video.',
  ],
  [
    'a video of unknown price',
    { ...limited, remaining: 0 },
    undefined,
    'November: $1.26 spent, $0.18 under way, $0.00 of $10.00 left.',
  ],
])('%s', (_what, given, amount, words) => {
  expect(usageInWords(given, amount)).toBe(words);
});
