import { expect, test } from 'vitest';
import type { Usage } from '../../web/api.ts';
import { formatUsage } from '../../web/budget.ts';

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
  ['videos in progress', { ...usage, reserved: 0.18 }, 1, 'November: $1.26 spent, $0.18 in progress.'],
  ['a limit', limited, 8.56, 'November: $1.26 spent, $0.18 in progress, $8.56 of $10.00 left.'],
  [
    'a limit that the chosen video exceeds',
    limited,
    8.57,
    'November: $1.26 spent, $0.18 in progress, $8.56 of $10.00 left: not enough for this video.',
  ],
  [
    'a video of unknown price',
    { ...limited, remaining: 0 },
    undefined,
    'November: $1.26 spent, $0.18 in progress, $0.00 of $10.00 left.',
  ],
])('shows %s', (_what, month, amount, text) => {
  expect(formatUsage(month, amount)).toBe(text);
});
