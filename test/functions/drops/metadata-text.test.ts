import { describe, expect, test } from 'vitest';
import { decodeEncodedWords, decodePercent, readMetadataText } from '../../../functions/drops/metadata-text.ts';

const base64 = (text: string | Buffer, charset = 'UTF-8') => `=?${charset}?B?${Buffer.from(text).toString('base64')}?=`;

describe('encoded words become text', () => {
  test.each([
    ['plain text is unchanged', 'A cat runs', 'A cat runs'],
    ['nothing', '', ''],
    ['B', '=?UTF-8?B?54yr?=', '猫'],
    ['Q, with _ for a space', '=?UTF-8?Q?caf=C3=A9_noir?=', 'café noir'],
    ['Q in small letters', '=?utf-8?q?caf=c3=a9?=', 'café'],
    ['an encoded underscore', '=?UTF-8?Q?a=5Fb?=', 'a_b'],
    ['text around a word', 'a =?UTF-8?B?54yr?= runs', 'a 猫 runs'],
    ['two words with a space, which is no text', '=?UTF-8?B?54yr?= =?UTF-8?B?54yr?=', '猫猫'],
    ['two words with a folded line between', '=?UTF-8?B?54yr?=\r\n =?UTF-8?B?54yr?=', '猫猫'],
    ['two words without a space', '=?UTF-8?B?54yr?==?UTF-8?B?54yr?=', '猫猫'],
    ['B and Q mixed', '=?UTF-8?B?54yr?= =?UTF-8?Q?=20caf=C3=A9?=', '猫 café'],
    ['text between two words keeps its spaces', '=?UTF-8?B?54yr?= and =?UTF-8?B?54yr?=', '猫 and 猫'],
    ['US-ASCII', '=?us-ascii?Q?a=3Db?=', 'a=b'],
    ['Latin-1', '=?ISO-8859-1?Q?caf=E9?=', 'café'],
    ['a Japanese character set', '=?iso-2022-jp?B?GyRCRy0bKEI=?=', '猫'],
    ['a Chinese character set', '=?GB2312?B?w6g=?=', '猫'],
    ['two character sets', '=?ISO-8859-1?Q?caf=E9_?= =?UTF-8?B?54yr?=', 'café 猫'],
    ['an unknown character set is unchanged', '=?klingon?B?54yr?=', '=?klingon?B?54yr?='],
    ['an unknown encoding is unchanged', '=?UTF-8?X?abc?=', '=?UTF-8?X?abc?='],
    ['text that only resembles a word is unchanged', 'what?= =?no', 'what?= =?no'],
    ['an empty word is nothing', 'a=?UTF-8?Q??=b', 'ab'],
  ])('%s', (_, encoded, text) => {
    expect(decodeEncodedWords(encoded)).toBe(text);
  });

  test.each(['猫', '🐈‍⬛', 'é', 'Ж'])('a %s split between words at any byte', (character) => {
    const bytes = Buffer.from(`a${character}b`);
    for (let at = 1; at < bytes.length; at++) {
      const split = `${base64(bytes.subarray(0, at))} ${base64(bytes.subarray(at))}`;
      expect(decodeEncodedWords(split)).toBe(`a${character}b`);
    }
  });

  // A pattern that backtracks would need hours for these: the test's own limit ends it.
  test('a long hostile value is read', () => {
    for (const part of [
      '=?',
      '=?UTF-8?B?',
      '=?a?b?',
      '?= ',
      '=?UTF-8?Q?a?= ',
      '=?a?B?b?= =?c?B?d?=',
      '%e7',
      '+',
      '%',
    ]) {
      expect(typeof decodeEncodedWords(part.repeat(20_000))).toBe('string');
      decodePercent(part.repeat(20_000));
    }
  });
});

describe('a value of metadata is the text that was meant', () => {
  test.each(['A cat runs', '猫が走る', 'Ñandú café', 'Кошка 🐈', 'Ã', 'naïve', '\ufeffmarked'])(
    '%j, encoded',
    (text) => {
      expect(readMetadataText(base64(text))).toBe(text);
    },
  );

  test('UTF-8 that S3 read as Latin-1, as in its own guide', () => {
    const asLatin1 = (text: string) => Buffer.from(text).toString('latin1');
    expect(readMetadataText('=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=')).toBe('ÄMÄZÕÑ S3');
    expect(readMetadataText(base64(asLatin1('猫が走る 🐈')))).toBe('猫が走る 🐈');
    expect(readMetadataText(asLatin1('猫'))).toBe('猫');
  });
});

describe('a percent-encoded prompt', () => {
  const prompts = [
    '猫',
    '一只猫醒来',
    'Кошка бежит',
    'A cat wakes up, slowly: 100% calm + warm',
    'é',
    '🐈‍⬛ & dog?',
    'a/b',
    'two\nlines',
  ];
  const quote = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const ways: Record<string, (text: string) => string> = {
    'encodeURIComponent, as jq @uri': encodeURIComponent,
    'Python quote': (text) => quote(text).replaceAll('%2F', '/'),
    'Python quote_plus, as PHP urlencode and HTML forms': (text) => quote(text).replaceAll('%20', '+'),
    'hexadecimal digits in small letters': (text) => quote(text).replace(/%../g, (byte) => byte.toLowerCase()),
  };
  describe.each(Object.entries(ways))('by %s', (_, encode) => {
    test.each(prompts)('%j is decoded', (text) => {
      expect(decodePercent(encode(text))).toBe(text);
    });
  });

  test.each([
    'A cat runs',
    '100% cotton',
    '50%',
    'at 100%fade in slowly',
    'rises by 5 % a day',
    '猫が100%かわいい',
    'C++',
    'The cat + the dog',
    'wide angle, f/2.8 & 35mm',
    '#catlife',
    'a_b=c',
  ])('%j is plain text', (text) => {
    expect(decodePercent(text)).toBe(text);
  });

  test.each([
    ['cut off in a character', '%E7%8C%AB%E7%8C'],
    ['cut off in a byte', '%E7%8C%AB%E'],
    ['Latin-1', 'caf%E9'],
    ['escape of JavaScript', '%u732B%u304C'],
    ['encoded twice', '%25E7%258C%25AB'],
    ['encoded in part', 'A %E7%8C%AB runs'],
    ['a blank encoded in part', 'A cat%20runs fast'],
    ['next to plain text', '猫%E7%8C%AB'],
    ['JSON escapes', '\\u732b runs'],
    ['HTML characters by number', '&#29483; runs'],
    ['HTML characters by hexadecimal number', 'A &#x732B;'],
    ['an encoded word in an unknown character set', '=?klingon?B?54yr?='],
  ])('that cannot be decoded is an error: %s', (_, text) => {
    expect(decodePercent(text)).toBeUndefined();
  });
});
