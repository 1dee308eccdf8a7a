import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { endingsTable, problemsTable } from '../../../../functions/api/openapi/problem-codes.ts';
import { failureCodes } from '../../../../functions/wan/failures.ts';

const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');

/** What stands in the README between `<!-- name -->` and `<!-- /name -->`. */
const partOf = (name: string): string | undefined =>
  readme.split(`<!-- ${name} -->\n`)[1]?.split(`\n<!-- /${name} -->`)[0];

test.each([
  ['errors', endingsTable],
  ['problems', problemsTable],
])('the table of %s in the README is the one that the code answers by', (name, table) => {
  expect(partOf(name)).toBe(table);
});

describe('a table', () => {
  test('has a row for each code, with as many cells as its head', () => {
    const [head, rule, ...rows] = endingsTable.split('\n');
    expect(rows).toHaveLength(failureCodes.length);
    const bars = (row = '') => row.split('|').length;
    for (const row of [rule, ...rows]) expect(bars(row)).toBe(bars(head));
  });
});
