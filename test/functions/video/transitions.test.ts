import { expect, test } from 'vitest';
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

test('the status index contains every video until it is finished', () => {
  const video = { model: 'wan', owner: 'alice', created_at: '2026-01-01T00:00:00.000Z', id: 'x' };
  for (const status of statuses) expect(openAttributes({ ...video, status })).toHaveProperty('open_status');
  for (const status of statuses.filter(isTerminal))
    expect(openAttributes({ ...video, status })).toEqual({
      open_status: 'unfinished',
      open_order: '2026-01-01T00:00:00.000Z#x',
    });
});
