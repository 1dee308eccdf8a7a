import { describe, expect, test } from 'vitest';
import { ownerOf } from '../../../functions/drops/drop-key.ts';

const defaults = { owner: 'drops' };
const owner = (key: string, owners: Parameters<typeof ownerOf>[1]['owners']) => ownerOf(key, { owners }, defaults);

test('all drops have one owner, whatever their folders are named', () => {
  expect(owner('drop/cat.png', 'one')).toBe('drops');
  expect(owner('drop/alice/cat.png', 'one')).toBe('drops');
  expect(owner('drop/No Owner/cat.png', 'one')).toBe('drops');
});

describe('when folders name owners', () => {
  test.each([
    ['drop/alice/cat.png', 'alice'],
    ['drop/alice/bob/cat.png', 'alice'],
    ['drop/alice@example.com/manifest.jsonl', 'alice@example.com'],
    ['drop/cat.png', 'drops'],
    ['drop/Team A/cat.png', undefined],
    ['drop//cat.png', undefined],
    ['drop/../cat.png', undefined],
    ['drop/__proto__/cat.png', undefined],
    ['drop/a#b/cat.png', undefined],
    ['drop/ünal/cat.png', undefined],
    [`drop/${'a'.repeat(65)}/cat.png`, undefined],
  ])('%s has the owner %s', (key, expected) => {
    expect(owner(key, 'folders')).toBe(expected);
  });
});

test('a table names the owners of folders, and all others have the default owner', () => {
  const table = { 'Team A': 'alice', bob: 'bob' };
  expect(owner('drop/Team A/x/cat.png', table)).toBe('alice');
  expect(owner('drop/bob/cat.png', table)).toBe('bob');
  expect(owner('drop/carol/cat.png', table)).toBe('drops');
  expect(owner('drop/bob', table)).toBe('drops');
  expect(owner('drop/toString/cat.png', table)).toBe('drops');
  expect(owner('drop/Bob/cat.png', table)).toBe('drops');
});
