import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemCodes } from '../../../functions/api/openapi/problem-codes.ts';
import { failureCodes } from '../../../functions/wan/failures.ts';
import { generatedPages } from '../../../infra/operations/docs.ts';

const pages = await generatedPages();

describe('the generated pages', () => {
  test.each(pages.map((page) => ({ ...page, name: basename(page.file) })))(
    '$name is up to date: npm run docs writes it',
    async ({ file, content }) => {
      expect(await readFile(file, 'utf8')).toBe(content);
    },
  );

  test('list every code once, in rows as long as their head', () => {
    const { content } = pages.find(({ file }) => file.endsWith('codes.md'))!;
    const names = [...content.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining([...failureCodes, ...Object.keys(problemCodes)]));
    const tables = content
      .trim()
      .split('\n\n')
      .filter((part) => part.startsWith('| '));
    expect(tables).toHaveLength(3);
    for (const table of tables) expect(new Set(table.split('\n').map((row) => row.split('|').length)).size).toBe(1);
  });
});
