import { describe, expect, test } from 'vitest';
import { openAttributes } from '../../../functions/video/keys.ts';
import { isLegalTransition, isTerminal, type Status, statuses } from '../../../functions/video/record.ts';

const legal: [Status, Status][] = [
  ['queued', 'submitting'],
  ['queued', 'failed'],
  ['queued', 'canceled'],
  ['submitting', 'running'],
  ['submitting', 'queued'],
  ['submitting', 'failed'],
  ['submitting', 'canceled'],
  ['running', 'archiving'],
  ['running', 'failed'],
  ['running', 'canceled'],
  ['archiving', 'succeeded'],
  ['archiving', 'failed'],
  ['failed', 'queued'],
  ['failed', 'running'],
  ['failed', 'archiving'],
  ['canceled', 'queued'],
  ['canceled', 'running'],
  ['canceled', 'archiving'],
];

test('allows exactly the listed transitions', () => {
  const found = statuses.flatMap((from) =>
    statuses.filter((to) => isLegalTransition(from, to)).map((to): [Status, Status] => [from, to]),
  );
  expect(found.sort()).toEqual([...legal].sort());
});

test('allows no transition from succeeded', () => {
  expect(statuses.some((to) => isLegalTransition('succeeded', to))).toBe(false);
});

describe('the status index', () => {
  const source = { type: 'api', key_id: 'k1' } as const;
  const video = { model: 'wan', owner: 'alice', created_at: '2026-01-01T00:00:00.000Z', id: 'x', source };
  test.each(statuses)('contains a video with status %s only if it still needs work', (status) => {
    const needsWork = !isTerminal(status) || status === 'succeeded';
    expect('open_status' in openAttributes({ ...video, status })).toBe(needsWork);
  });

  test.each(statuses.filter(isTerminal))(
    'contains a drop and a manifest line with status %s as result_pending',
    (status) => {
      const at = { bucket: 'uploads', key: 'drop/a' } as const;
      for (const source of [{ type: 'drop', ...at } as const, { type: 'manifest', ...at, line: 1 } as const])
        expect(openAttributes({ ...video, status, source })).toEqual({
          open_status: 'result_pending',
          open_order: '2026-01-01T00:00:00.000Z#x',
        });
    },
  );
});
