import { describe, expect, test } from 'vitest';
import { MAX_NESTING, readJson, structureFault } from '../../../functions/shared/json-body.ts';
import { Problem } from '../../../functions/shared/problem.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const read = (body: string | null) => readJson({ body, isBase64Encoded: false });

/** What a caller is told of a body that can't be read. */
function detailOf(body: string | null): string {
  try {
    read(body);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error).toMatchObject({ status: 400, members: { code: 'invalid_json' } });
    return error.members.detail;
  }
  return 'taken';
}

const nested = (depth: number, inside = '1') => `${'[{"a":'.repeat(depth / 2)}${inside}${'}]'.repeat(depth / 2)}`;

describe('nesting', () => {
  test('is taken to a depth of 32 and no deeper, whatever is nested', () => {
    expect(read(nested(MAX_NESTING))).toBeInstanceOf(Array);
    for (const body of [nested(MAX_NESTING, '[]'), nested(MAX_NESTING, '{}'), nested(MAX_NESTING + 2)]) {
      expect(detailOf(body)).toMatch(/more than 32 deep/);
    }
  });

  test('counts what is open at once, not what there is', () => {
    expect(read(`[${Array.from({ length: 1000 }, () => nested(30)).join(',')}]`)).toHaveLength(1000);
  });

  test.each(['[', '{"a":', '[{"a":', '{"a":[', '[[],'])('of a hundred thousand "%s" is refused at once', (opening) => {
    const started = performance.now();
    expect(detailOf(opening.repeat(100_000))).toMatch(/more than 32 deep/);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('in a string is none', () => {
    const text = '[{"'.repeat(100_000);
    expect(read(JSON.stringify({ prompt: text }))).toEqual({ prompt: text });
  });
});

describe('a key that an object has twice', () => {
  test.each([
    ['side by side', '{"model":"a","model":"b"}', '/model'],
    ['with another between', '{"a":1,"b":2,"a":3}', '/a'],
    ['in an inner object', '{"input":{"prompt":"x","img_url":"y","prompt":"z"}}', '/input/prompt'],
    ['after an inner object that has it too', '{"a":{"a":1},"a":2}', '/a'],
    ['in a list', '[1,{"a":1},{"b":[],"c":{},"b":1}]', '/2/b'],
    ['in another spelling', '{"a":1,"\\u0061":2}', '/a'],
    ['with an escaped quote', '{"a\\"b":1,"a\\u0022b":2}', '/a\\"b'],
    ['of nothing', '{"":1,"":2}', '/'],
    ['that is a prototype', '{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['that is half a character', '{"\\ud800":1,"\\ud800":2}', '/�'],
    ['with spaces and line breaks about it', '{ "a"\n:1 , \t"a" : 2 }', '/a'],
    ['behind a byte order mark', '\ufeff{"a":1,"a":2}', '/a'],
    ['with a slash and a tilde', '{"a/~":1,"a/~":1}', '/a~1~0'],
  ])('is refused by name: %s', (_, body, pointer) => {
    expect(() => JSON.parse(body.replace('\ufeff', ''))).not.toThrow();
    expect(detailOf(body)).toContain(`is at "${pointer}".`);
  });

  test.each([
    ['of two objects', '[{"a":1},{"a":1}]'],
    ['of an object and the one within', '{"a":{"a":{"a":1}}}'],
    ['that only ends alike', '{"a":1,"\\\\a":2,"aa":3,"A":4}'],
    ['that is a value too', '{"a":"a","b":"a","c":["a","a"]}'],
    ['in a string', '{"a":"\\",\\"a\\":\\"","b":1}'],
    ['of number-like names', '{"1":1,"01":2,"1.0":3}'],
  ])('is not seen where there is none: a key %s', (_, body) => {
    expect(read(body)).toEqual(JSON.parse(body));
  });

  test('is told in few words, however long it is and however deep it lies', () => {
    const key = JSON.stringify('x\u0000'.repeat(10_000));
    const body = `${`{${key}:`.repeat(20)}{${key}:1,${key}:2}${'}'.repeat(20)}`;
    const detail = detailOf(body);
    expect(detail).toMatch(/twice/);
    expect(structureFault(body)).toEqual({ fault: 'duplicate_key', pointer: expect.stringMatching(/^….{99}$/s) });
  });
});

test('what is sound JSON is read as JSON.parse reads it, and what is not never breaks the scan', () => {
  const random = seededRandom(7);
  const pieces = ['{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '"b"', '1', 'null', ' ', '\\u0061', '"a":', '\ud800'];
  let sound = 0;
  for (let round = 0; round < 5_000; round++) {
    const length = 1 + Math.floor(random() * 12);
    const text = Array.from({ length }, () => pieces[Math.floor(random() * pieces.length)]).join('');
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      expect(detailOf(text)).not.toBe('taken');
      continue;
    }
    sound++;
    if (!/twice/.test(detailOf(text))) expect(read(text)).toEqual(parsed);
  }
  expect(sound).toBeGreaterThan(100);
});

describe('a body of 6 MB is read in bounded time', () => {
  const million = (text: string) => text.repeat(Math.floor(6_000_000 / text.length));
  const distinct = (written: (index: number) => string) =>
    `{${Array.from({ length: 400_000 }, (_, index) => written(index)).join(',')}}`;

  test.each<[string, string]>([
    ['one picture', `{"input":{"img_url":"data:image/png;base64,${million('iVBOR')}"}}`],
    ['one string of quotes', `{"a":"${million('\\"')}"}`],
    ['one string of backslashes', `{"a":"${million('\\\\')}"}`],
    ['one string that never ends', `{"a":"${million('\\"')}`],
    ['backslashes that never end', `{"a":"${million('\\')}`],
    ['quotes', million('"')],
    ['empty objects', `[${million('{},').slice(0, -1)}]`],
    ['small objects', `[${million('{"a":1},').slice(0, -1)}]`],
    ['keys', distinct((index) => `"key${index}":1`)],
    ['keys that are numbers', distinct((index) => `"${index * 1024}":1`)],
    ['one key', `{"${million('a')}":1}`],
    ['white space', `{${million(' ')}}`],
    ['digits', million('1')],
  ])('when it is %s', (_, body) => {
    const started = performance.now();
    detailOf(body);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
