import { describe, expect, test } from 'vitest';
import { settingNames } from '../../infra/config.ts';
import { configurationReference } from '../../infra/operations/configuration-reference.ts';

describe('the reference of the configuration', () => {
  test('has a description for every setting and allowed values for each scalar', () => {
    const rows = configurationReference()
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
    expect(rows.map(([name]) => name)).toEqual(expect.arrayContaining(settingNames.map((name) => `\`${name}\``)));
    for (const [name, , allowed, description] of rows) {
      expect(description, name).not.toBe('');
      const isObject = rows.some(([other]) => other !== name && other!.startsWith(name!.slice(0, -1)));
      if (!isObject) expect(allowed, name).not.toBe('');
    }
  });
});
