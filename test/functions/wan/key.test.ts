import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainKeyDefect, judgeKey } from '../../../functions/wan/key.ts';

const key = 'sk-0123456789abcdef0123456789abcdef';

describe('a bare key', () => {
  test('is returned without the blanks, line ends and byte order mark around it', () => {
    const around = fc
      .array(fc.constantFrom(' ', '\t', '\n', '\r\n', '\u00a0', '\ufeff', '\u3000'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(around, around, (before, after) => {
        expect(judgeKey(`${before}${key}${after}`)).toEqual({ ok: true, key });
      }),
    );
  });

  test.each(['sk-local', 'sk-ws-H.ABCD.a1-_b2~c3', 'sk-a+b/c==', 'sk-x', 'local'])('%s is accepted', (text) => {
    expect(judgeKey(text)).toEqual({ ok: true, key: text });
  });
});

describe('what is pasted instead of a bare key', () => {
  test.each([
    ['', 'no_key'],
    [' \n', 'no_key'],
    ['unset', 'no_key'],
    [`Bearer ${key}`, 'key_has_bearer'],
    [`bearer\t${key}`, 'key_has_bearer'],
    [`BEARER: ${key}`, 'key_has_bearer'],
    ['Bearer', 'key_has_bearer'],
    [`Authorization: Bearer ${key}`, 'key_has_bearer'],
    [`DASHSCOPE_API_KEY=${key}`, 'key_has_name'],
    [`DASHSCOPE_API_KEY = ${key}`, 'key_has_name'],
    [`export DASHSCOPE_API_KEY=${key}`, 'key_has_name'],
    [`set DASHSCOPE_API_KEY=${key}`, 'key_has_name'],
    [`setx DASHSCOPE_API_KEY ${key}`, 'key_has_name'],
    [`$env:DASHSCOPE_API_KEY=${key}`, 'key_has_name'],
    [`api_key: ${key}`, 'key_has_name'],
    [`--api-key ${key}`, 'key_has_name'],
    [`X-Api-Key:${key}`, 'key_has_name'],
    [`'${key}'`, 'key_has_quotes'],
    [`"${key}"`, 'key_has_quotes'],
    [`"${key}`, 'key_has_quotes'],
    [`\u201c${key}\u201d`, 'key_has_quotes'],
    [`\u201e${key}\u201c`, 'key_has_quotes'],
    [`\u2018${key}\u2019`, 'key_has_quotes'],
    [`«${key}»`, 'key_has_quotes'],
    [`\`${key}\``, 'key_has_quotes'],
    [`KEY="${key}"`, 'key_has_quotes'],
    [`${key} # mine`, 'key_has_comment'],
    [`${key}#mine`, 'key_has_comment'],
    [`${key} // mine`, 'key_has_comment'],
    [`${key} /* mine */`, 'key_has_comment'],
    [`${key} ; mine`, 'key_has_comment'],
    [`${key} -- mine`, 'key_has_comment'],
    [`${key}\n${key}`, 'key_has_several_lines'],
    [`# the key\n${key}`, 'key_has_several_lines'],
    [`${key}\r\n\r\nAsk Ann for another.`, 'key_has_several_lines'],
    [`${key.slice(0, 9)}\u2028${key.slice(9)}`, 'key_has_several_lines'],
    [`{"DASHSCOPE_API_KEY":"${key}"}`, 'key_is_json'],
    [`{\n  "key": "${key}"\n}`, 'key_is_json'],
    [`["${key}"]`, 'key_is_json'],
    ['https://dashscope-intl.aliyuncs.com/api/v1', 'key_is_url'],
    ['<your-api-key>', 'key_is_placeholder'],
    ['sk-****cdef', 'key_is_placeholder'],
    ['sk-\u2026', 'key_is_placeholder'],
    ['sk-...', 'key_is_placeholder'],
    ['sk-xxxxxxxxxxxx', 'key_is_placeholder'],
    ['YOUR_DASHSCOPE_API_KEY', 'key_is_placeholder'],
    [`sk-0123 ${key}`, 'key_has_blanks'],
    [`sk-0123\u00a0${key}`, 'key_has_blanks'],
    [key.replace('-', '\u2013'), 'key_has_other_letters'],
    [key.replace('s', '\u0455'), 'key_has_other_letters'],
    ['\uff53\uff4b\uff0d0123', 'key_has_other_letters'],
    [`${key},`, 'key_has_punctuation'],
    [`${key}.`, 'key_has_punctuation'],
    [`${key}\\n`, 'key_has_punctuation'],
    ['%DASHSCOPE_API_KEY%', 'key_has_punctuation'],
  ])('%j is %s', (text, reason) => {
    expect(judgeKey(text)).toMatchObject({ ok: false, reason });
  });

  // Zero-width spaces and joiners, soft hyphen, marks of direction and order, fillers, variation selectors, tags, control characters.
  const invisible = [
    ...[0x200b, 0x200c, 0x200d, 0x2060, 0xad, 0xfeff, 0x200e, 0x202e, 0x2066, 0x61c, 0x34f, 0x115f, 0x180e, 0x3164],
    ...[0xfe0f, 0xe0100, 0xe0061, 0xffa0, 0, 7, 0x1b, 0x7f, 0x9f],
  ];

  test('an invisible character anywhere inside is named by its code point', () => {
    fc.assert(
      fc.property(fc.constantFrom(...invisible), fc.integer({ min: 1, max: key.length - 1 }), (code, at) => {
        const hex = code.toString(16).toUpperCase().padStart(4, '0');
        expect(judgeKey(key.slice(0, at) + String.fromCodePoint(code) + key.slice(at))).toMatchObject({
          reason: 'key_has_invisible_characters',
          problem: `Wan's key contains an invisible character (U+${hex}).`,
        });
      }),
    );
    for (const code of invisible.filter((each) => each !== 0xfeff))
      expect(judgeKey(`${key}${String.fromCodePoint(code)}\n`).ok).toBe(false);
  });

  test('a text that an HTTP header cannot carry is never sent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const judged = judgeKey(text);
        if (judged.ok) expect(judged.key).toMatch(/^[\w.~+/=-]+$/);
      }),
      { numRuns: 2000 },
    );
  });

  test('is explained without any part of it', () => {
    const parts = fc.constantFrom(
      ' ',
      '=',
      ':',
      "'",
      '"',
      '#',
      '\n',
      'Bearer ',
      '\u200b',
      '{',
      '\u00ad',
      ',',
      '*',
      'é',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.constant('Qz7Qz7'))), (pieces) => {
        const judged = judgeKey(pieces.join(''));
        if (judged.ok) return;
        expect(`${judged.problem} ${judged.fix}`).not.toContain('Qz7');
        expect(judged.problem).toMatch(/\.$/);
        expect(explainKeyDefect(judged.reason)).toEqual({ problem: expect.stringMatching(/\.$/), fix: judged.fix });
      }),
    );
    expect(explainKeyDefect('arrears')).toBeUndefined();
  });
});
