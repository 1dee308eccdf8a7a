import { describe, expect, test } from 'vitest';
import { decodeEncodedWords, readMetadataText } from '../../../functions/drops/settings-metadata.ts';

const base64 = (text: string | Buffer) => `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;

describe('encoded words become text', () => {
  test.each([
    ['plain text stays', 'A cat runs', 'A cat runs'],
    ['nothing stays nothing', '', ''],
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
    ['another character set stays as it is', '=?iso-2022-jp?B?GyRCRyMbKEI=?=', '=?iso-2022-jp?B?GyRCRyMbKEI=?='],
    ['an unknown encoding stays as it is', '=?UTF-8?X?abc?=', '=?UTF-8?X?abc?='],
    ['what only looks like a word stays', 'what?= =?no', 'what?= =?no'],
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
  test('a long hostile value is read at all', () => {
    for (const part of ['=?', '=?UTF-8?B?', '=?a?b?', '?= ', '=?UTF-8?Q?a?= ']) {
      expect(typeof decodeEncodedWords(part.repeat(20_000))).toBe('string');
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

  test('UTF-8 that S3 took for Latin-1, as in its own guide', () => {
    const asLatin1 = (text: string) => Buffer.from(text).toString('latin1');
    expect(readMetadataText('=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=')).toBe('ÄMÄZÕÑ S3');
    expect(readMetadataText(base64(asLatin1('猫が走る 🐈')))).toBe('猫が走る 🐈');
    expect(readMetadataText(asLatin1('猫'))).toBe('猫');
  });
});
