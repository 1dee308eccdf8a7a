import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const claims = claimsOf(readFileSync(path.join(root, 'SECURITY.md'), 'utf8'));

interface Claim {
  claim: string;
  tests: { file: string; name: string }[];
}

/** Reads the rows of the tables with a column of tests. */
function claimsOf(document: string): Claim[] {
  return document
    .slice(document.indexOf('## Claims'))
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| claim |'))
    .map((line) => {
      const [, claim = '', tests = ''] = line.split(' | ').length === 2 ? ['', ...line.slice(2, -2).split(' | ')] : [];
      return {
        claim,
        tests: tests.split('<br>').map((named) => {
          const [, file = '', name = ''] = /^`([^`]+)` › "(.+)"$/.exec(named.trim()) ?? [];
          return { file, name };
        }),
      };
    });
}

/** Whether a file has a test, or a group of tests, of this name. */
function has({ file, name }: { file: string; name: string }): boolean {
  if (name === '' || !existsSync(path.join(root, file))) return false;
  const text = readFileSync(path.join(root, file), 'utf8');
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${name}${quote}`));
}

const missing = claims.flatMap(({ tests }) =>
  tests.filter((named) => !has(named)).map(({ file, name }) => `${file} › "${name}"`),
);

test('reads the claims of SECURITY.md', () => {
  expect(claims.length).toBeGreaterThan(30);
});

test('every test that a claim names exists', () => {
  expect(missing.length === 0 ? '' : `rename these in SECURITY.md or in their files:\n${missing.join('\n')}`).toBe('');
});

test('notices a claim whose test is gone, or that names none', () => {
  expect(has({ file: 'test/security.test.ts', name: 'reads the claims of SECURITY.md' })).toBe(true);
  expect(has({ file: 'test/security.test.ts', name: ['a test', 'that is not there'].join(' ') })).toBe(false);
  expect(has({ file: 'test/nowhere.test.ts', name: 'reads the claims of SECURITY.md' })).toBe(false);
  expect(claimsOf('## Claims\n| All is well | trust us |')[0]!.tests.every((named) => !has(named))).toBe(true);
});
