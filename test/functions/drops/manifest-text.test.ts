import { describe, expect, test } from 'vitest';
import { readManifestText } from '../../../functions/drops/manifest-text.ts';

const request = { model: 'wan2.2-i2v-flash', input: { prompt: 'Ein "Kätzchen" {läuft\\', img_url: 'a.png' } };
const line = JSON.stringify(request);
const pretty = JSON.stringify(request, undefined, 2);
const read = (content: string | Uint8Array) => readManifestText(Buffer.from(content as string));
const linesOf = (content: string | Uint8Array) => {
  const text = read(content);
  return 'lines' in text ? text.lines.map(({ line, bytes }) => [line, Buffer.from(bytes).toString()]) : text.issue.code;
};

describe('the lines of a manifest', () => {
  test.each<[string, string, [number, string][]]>([
    [
      'with LF',
      `${line}\n${line}\n`,
      [
        [1, line],
        [2, line],
      ],
    ],
    [
      'with CRLF and empty lines',
      `\r\n${line}\r\n \t\r\n\r\n${line}`,
      [
        [2, line],
        [5, line],
      ],
    ],
    ['after a byte order mark', `\ufeff${line}`, [[1, line]]],
    [
      'of which the first is broken off in a text',
      `${line.slice(0, 60)}\n${line}`,
      [
        [1, line.slice(0, 60)],
        [2, line],
      ],
    ],
    [
      'of which the first is broken off after an object',
      `${line.slice(0, -1)}\n${line}`,
      [
        [1, line.slice(0, -1)],
        [2, line],
      ],
    ],
    [
      'of which the first is no JSON',
      `# requests\n${line}`,
      [
        [1, '# requests'],
        [2, line],
      ],
    ],
    [
      'of which the first closes too much',
      `}\n${line}`,
      [
        [1, '}'],
        [2, line],
      ],
    ],
    [
      'of which a later one is an array',
      `${line}\n[1]`,
      [
        [1, line],
        [2, '[1]'],
      ],
    ],
  ])('%s', (_, content, expected) => {
    expect(linesOf(content)).toEqual(expected);
  });
});

describe('a manifest that has no lines of its own is one error with the way to fix it', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  test.each<[string, string | Uint8Array, string, RegExp]>([
    [
      'UTF-16 with a byte order mark',
      utf16(`\ufeff${line}\r\n${line}`),
      'manifest_not_jsonl',
      /UTF-16.*Set-Content -Encoding utf8/,
    ],
    ['UTF-16 without one', utf16(`${line}\n`), 'manifest_not_jsonl', /UTF-16/],
    ['big-endian UTF-16', utf16(`\ufeff${line}`).swap16(), 'manifest_not_jsonl', /UTF-16/],
    ['big-endian UTF-16 without a mark', utf16(line).swap16(), 'manifest_not_jsonl', /UTF-16/],
    ['a pretty-printed object', pretty, 'manifest_not_jsonl', /spans several lines.*jq -c \. /],
    ['several of them', `\n${pretty}\n${pretty}\n`, 'manifest_not_jsonl', /spans several lines/],
    [
      'one with CRLF and a byte order mark',
      `\ufeff${pretty.replaceAll('\n', '\r\n')}`,
      'manifest_not_jsonl',
      /spans several lines/,
    ],
    ['one in tabs', JSON.stringify(request, undefined, '\t'), 'manifest_not_jsonl', /spans several lines/],
    ['an array on one line', `[${line},${line}]`, 'manifest_not_jsonl', /JSON array.*jq -c '\.\[\]'/],
    ['an array with an object on each line', `[\n${line},\n${line}\n]`, 'manifest_not_jsonl', /JSON array/],
    ['a pretty-printed array', ` ${JSON.stringify([request], undefined, 2)}`, 'manifest_not_jsonl', /JSON array/],
    ['nothing', '', 'manifest_empty', /POST \/videos/],
    ['line ends', '\r\n\n \n', 'manifest_empty', /POST \/videos/],
    ['10,001 lines', '\n'.repeat(10_001), 'too_many_lines', /10000 lines/],
  ])('%s', (_, content, code, message) => {
    expect(read(content)).toEqual({ issue: { code, message: expect.stringMatching(message) } });
  });

  // A scan that starts anew on each line would take minutes for this.
  test('a long broken manifest is read', () => {
    expect(linesOf(`${'{"a": [\n'.repeat(9_000)}${' '.repeat(5_000_000)}`)).toHaveLength(9_000);
  });
});
