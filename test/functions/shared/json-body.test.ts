import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_NESTING, readJson } from '../../../functions/shared/json-body.ts';
import { ProblemError } from '../../../functions/shared/problem.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const read = (body: string | null) => readJson({ body, isBase64Encoded: false });

/** Returns the problem for an unreadable body. */
function detailOf(body: string | null): string {
  try {
    read(body);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    expect(error).toMatchObject({ status: 400, members: { code: 'invalid_json' } });
    return error.members.detail;
  }
  return 'taken';
}

const nested = (depth: number, inside = '1') => `${'[{"a":'.repeat(depth / 2)}${inside}${'}]'.repeat(depth / 2)}`;

describe('nesting', () => {
  test('is accepted up to 32 levels, for arrays and objects', () => {
    expect(read(nested(MAX_NESTING))).toBeInstanceOf(Array);
    for (const body of [nested(MAX_NESTING, '[]'), nested(MAX_NESTING, '{}'), nested(MAX_NESTING + 2)]) {
      expect(detailOf(body)).toMatch(/more than 32 levels deep/);
    }
  });

  test('counts open brackets, not all brackets', () => {
    expect(read(`[${Array.from({ length: 1000 }, () => nested(30)).join(',')}]`)).toHaveLength(1000);
  });

  test.each(['[', '{"a":', '[{"a":', '{"a":[', '[[],'])(
    'of a hundred thousand "%s" is rejected immediately',
    (opening) => {
      const started = performance.now();
      expect(detailOf(opening.repeat(100_000))).toMatch(/more than 32 levels deep/);
      expect(performance.now() - started).toBeLessThan(1000);
    },
  );

  test.each([['[{"'], ['\\'], ['\\"['], ['"']])('in a string of %j does not count', (piece) => {
    const text = piece.repeat(100_000);
    expect(read(JSON.stringify({ prompt: text, more: [text] }))).toEqual({ prompt: text, more: [text] });
  });

  test('after a string that ends with a backslash counts', () => {
    expect(detailOf(`["\\\\",${'['.repeat(MAX_NESTING)}${']'.repeat(MAX_NESTING)}]`)).toMatch(
      /more than 32 levels deep/,
    );
  });
});

test('uses the last value of a duplicate key', () => {
  expect(read('{"model":"a","model":"b"}')).toEqual({ model: 'b' });
});

test('parses valid JSON like JSON.parse, and never fails otherwise on invalid JSON', () => {
  const random = seededRandom(7);
  const pieces = ['{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '"b"', '1', 'null', ' ', '\\u0061', '"a":', '\ud800'];
  let valid = 0;
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
    valid++;
    expect(read(text)).toEqual(parsed);
  }
  expect(valid).toBeGreaterThan(100);
});

describe('parses a body of 6 MB in bounded time', () => {
  const million = (text: string) => text.repeat(Math.floor(6_000_000 / text.length));
  const keys = `{${Array.from({ length: 400_000 }, (_, index) => `"key${index}":1`).join(',')}}`;

  test.each<[string, string]>([
    ['one image', `{"input":{"img_url":"data:image/png;base64,${million('iVBOR')}"}}`],
    ['one string of quotes', `{"a":"${million('\\"')}"}`],
    ['one string of backslashes', `{"a":"${million('\\\\')}"}`],
    ['one string that never ends', `{"a":"${million('\\"')}`],
    ['backslashes that never end', `{"a":"${million('\\')}`],
    ['quotes', million('"')],
    ['empty objects', `[${million('{},').slice(0, -1)}]`],
    ['small objects', `[${million('{"a":1},').slice(0, -1)}]`],
    ['keys', keys],
    ['one key', `{"${million('a')}":1}`],
    ['white space', `{${million(' ')}}`],
    ['digits', million('1')],
  ])('when it is %s', (_, body) => {
    const started = performance.now();
    detailOf(body);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('a body that is not UTF-8', () => {
  /** The body as API Gateway passes it on: text, or base64 for a binary media type. */
  const asText = (bytes: Uint8Array) => ({ body: Buffer.from(bytes).toString('utf8'), isBase64Encoded: false });
  const asBinary = (bytes: Uint8Array) => ({ body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true });
  const withPrompt = (bytes: Uint8Array) => Buffer.concat([Buffer.from('{"prompt":"'), bytes, Buffer.from('"}')]);
  const refusal = { status: 400, members: { code: 'invalid_json', detail: expect.stringContaining('not UTF-8') } };
  const caught = (request: Parameters<typeof readJson>[0]): unknown => {
    try {
      return readJson(request);
    } catch (error) {
      return error;
    }
  };

  test.each([
    ['Latin-1', withPrompt(Buffer.from('café', 'latin1'))],
    ['Windows quotes', withPrompt(Buffer.from([0x93, 0x61, 0x94]))],
    ['the bytes of a surrogate', withPrompt(Buffer.from([0xed, 0xa0, 0x80]))],
    ['half a character', Buffer.from('{"prompt":"猫').subarray(0, -1)],
    ['an overlong form', withPrompt(Buffer.from([0xc0, 0xaf]))],
    ['UTF-16 with a mark', Buffer.from('\ufeff{"prompt":"a"}', 'utf16le')],
    ['UTF-16 without a mark', Buffer.from('{"prompt":"a"}', 'utf16le')],
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0])],
    ['text that lost characters before', withPrompt(Buffer.from('caf\ufffd'))],
  ])('such as %s is refused', (_, bytes) => {
    expect(caught(asText(bytes))).toMatchObject(refusal);
    expect(caught(asBinary(bytes))).toMatchObject(refusal);
  });

  test('is refused, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        fc.pre(!isUtf8(bytes));
        expect(caught(asText(withPrompt(bytes)))).toMatchObject(refusal);
      }),
      { numRuns: 500 },
    );
  });

  test('differs from every text in UTF-8, with or without a byte order mark', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (prompt) => {
        fc.pre(!/[\ufffd]/.test(prompt) && !/\p{Surrogate}/u.test(prompt));
        const text = JSON.stringify({ prompt });
        for (const body of [text, `\ufeff${text}`]) expect(readJson(asText(Buffer.from(body)))).toEqual({ prompt });
      }),
    );
  });
});
