import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readMultipartForm } from '../../../../functions/api/dashscope/multipart-form.ts';

type Part = [headers: string, content: string | Uint8Array];

const formOf = (boundary: string, parts: readonly Part[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(([headers, content]) => [
      Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);

const key = 'firstframe/8f14e45f/cat é.png';
const file = Buffer.concat([Buffer.from('\u0089PNG\r\n\u001a\n\r\n--\r\n\r\n', 'latin1'), randomBytes(1000)]);
const named = (name: string, more = ''): string => `Content-Disposition: form-data; name="${name}"${more}`;

describe('reads the form of', () => {
  const binary = 'Content-Type: application/octet-stream';
  test.each<[client: string, boundary: string, type: string, key: string, file: string]>([
    ['requests', '9b1f0c', '; boundary=9b1f0c', named('key'), named('file', '; filename="cat é.png"')],
    [
      'urllib3 1, whose file names are of RFC 2231',
      '9b1f0c',
      '; boundary=9b1f0c',
      named('key'),
      named('file', "; filename*=utf-8''cat%20%C3%A9.png"),
    ],
    [
      'OkHttp',
      '0f8b2a5e-4c1d',
      '; boundary=0f8b2a5e-4c1d',
      `${named('key')}\r\nContent-Length: 30`,
      `${named('file', '; filename="cat.png"')}\r\n${binary}\r\nContent-Length: 1018`,
    ],
    [
      'aiohttp',
      'a3f1',
      '; boundary=a3f1',
      `Content-Type: text/plain; charset=utf-8\r\n${named('key')}`,
      `Content-Type: image/png\r\n${named('file', `; filename="cat.png"; filename*=utf-8''cat%20%C3%A9.png`)}`,
    ],
    [
      'Apache HttpClient',
      'kq-_Zz09',
      '; charset=ISO-8859-1; boundary=kq-_Zz09',
      `${named('key')}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit`,
      `${named('file', '; filename="cat.png"')}\r\n${binary}\r\nContent-Transfer-Encoding: binary`,
    ],
    [
      '.NET, which quotes its boundary and not its names',
      '5f0c6b9e-3a52-4d0e',
      '; boundary="5f0c6b9e-3a52-4d0e"',
      'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=key',
      "Content-Disposition: form-data; name=file; filename=cat.png; filename*=utf-8''cat.png",
    ],
    ['Go', 'c0ffee', '; boundary=c0ffee', named('key'), `${named('file', '; filename="a\\"b.png"')}\r\n${binary}`],
    [
      'curl',
      '------------------------d74496d66958873e',
      '; boundary=------------------------d74496d66958873e',
      named('key'),
      `${named('file', '; filename="cat.png"')}\r\nContent-Type: image/png`,
    ],
    [
      'a browser, which escapes a quote and no back slash',
      '----WebKitFormBoundary7MA4YWxkTrZu0gW',
      '; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      named('key'),
      `${named('file', '; filename="a%22b\\"')}\r\nContent-Type: image/png`,
    ],
    [
      'Java Mail, in small letters',
      '----=_Part_1_2.3',
      ' ; Boundary="----=_Part_1_2.3"',
      'content-disposition:form-data;name="key"',
      'content-disposition: FORM-DATA; Name=file ; filename="x; name=key"',
    ],
  ])('%s', async (_, boundary, type, keyHeaders, fileHeaders) => {
    const form = formOf(boundary, [
      [keyHeaders, key],
      [fileHeaders, file],
    ]);
    expect(await readMultipartForm(form, `multipart/form-data${type}`)).toEqual(
      new Map([
        ['key', Buffer.from(key)],
        ['file', file],
      ]),
    );
  });

  test('the fetch API of Node', async () => {
    const form = new FormData();
    form.set('key', key);
    form.set('file', new Blob([new Uint8Array(file)]), 'a"b.png');
    const sent = new Response(form);
    const type = sent.headers.get('content-type') ?? '';
    const read = await readMultipartForm(Buffer.from(await sent.arrayBuffer()), type);
    expect(read?.get('file')).toEqual(file);
  });
});

const read = (body: string | Uint8Array, type = 'multipart/form-data; boundary=b') =>
  readMultipartForm(Buffer.from(body), type);
const part = (headers: string, content: string) => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
const end = '--b--\r\n';

test.each([
  ['a line before the first part', `ignored\r\n${part(named('key'), 'k')}${end}`],
  ['a line after the last', `${part(named('key'), 'k')}${end}ignored\r\n${part(named('key'), 'x')}`],
  ['no line break at the end', part(named('key'), 'k') + end.trim()],
  ['a quoted name that holds a parameter of its own', part(named('key', '; x="; name=file"'), 'k') + end],
])('accepts %s', async (_, body) => {
  expect(await read(body)).toEqual(new Map([['key', Buffer.from('k')]]));
});

test.each([
  ['sequences close to a delimiter', 'x\r\n--\r\n--B\r\n-b--\r\n\n--b\r\n\r--b\r\n'],
  ['a delimiter within a line', 'x--b\r\n\r\n-\n--b\r\n\r--b--'],
  ['a form with another boundary', `--c\r\n${named('key')}\r\n\r\nk\r\n--c--\r\n`],
  ['line breaks at its ends', '\r\n\r\n\n\r\n'],
  ['nothing', ''],
])('reads a file with %s', async (_, content) => {
  const form = await read(part(named('file'), content) + end);
  expect(form?.get('file')?.toString()).toBe(content);
});

test.each<[string, string, string?]>([
  ['nothing at all', ''],
  ['no part', end],
  ['no boundary', part(named('key'), 'k') + end, 'multipart/form-data; charset=utf-8'],
  ['an empty boundary', part(named('key'), 'k') + end, 'multipart/form-data; boundary='],
  ['a boundary of 300 characters', part(named('key'), 'k') + end, `multipart/form-data; boundary=${'b'.repeat(300)}`],
  ['a boundary with a control character', part(named('key'), 'k') + end, 'multipart/form-data; boundary="b\u0001"'],
  ['another type', part(named('key'), 'k') + end, 'multipart/mixed; boundary=b'],
  ['no end', part(named('key'), 'k')],
  ['a truncated end', `${part(named('key'), 'k')}--b-`],
  ['a truncated part', `${part(named('key'), 'k')}--b\r\n${named('file')}`],
  ['a part without a blank line', `--b\r\n${named('key')}\r\n--b\r\n\r\nk\r\n${end}`],
  ['a part without a name', part('Content-Disposition: form-data', 'k') + end],
  ['a part without headers', `--b\r\n\r\nk\r\n${end}`],
  ['a part that is not form-data', part('Content-Disposition: attachment; name="key"', 'k') + end],
  ['line feeds alone', (part(named('key'), 'k') + end).replaceAll('\r\n', '\n')],
  ['a name twice', part(named('file'), 'a') + part(named('file'), 'b') + end],
  ['headers over 16 KiB', part(named('key', `; x="${'x'.repeat(16 * 1024)}"`), 'k') + end],
  ['text over 16 KiB before it', 'x'.repeat(16 * 1024) + part(named('key'), 'k') + end],
  ['text over 16 KiB after a part without a name', part('a: b', 'x'.repeat(20_000)) + end + 'x'.repeat(20_000)],
])('rejects a form with %s', async (_, body, type) => {
  const form = await read(body, type);
  expect(form?.size ?? 0).toBe(0);
});

test('accepts at most forty parts', async () => {
  const parts = (count: number) => Array.from({ length: count }, (_, at) => part(named(`p${at}`), 'x')).join('') + end;
  expect((await read(parts(40)))?.size).toBe(40);
  expect(await read(parts(41))).toBeUndefined();
});

const mega = 4 * 1024 * 1024;
/** A form of the largest size takes about 50 ms; quadratic time would take a hundred times as long. */
async function expectLinearTime(body: string, boundary: string) {
  const bytes = Buffer.from(body);
  const { user: before } = process.cpuUsage();
  await readMultipartForm(bytes, `multipart/form-data; boundary=${boundary}`);
  expect(process.cpuUsage().user - before).toBeLessThan(1_500_000);
}

test.each<[string, string]>([
  ['55,000 parts', part(named('a'), '').repeat(55_000) + end],
  [
    '55,000 files of different names',
    Array.from({ length: 55_000 }, (_, at) => part(named(`f${at}`, '; filename="b"'), '')).join('') + end,
  ],
  ['headers without an end', `--b\r\n${'a'.repeat(mega)}`],
  ['a million headers', `--b\r\n${'a:\r\n'.repeat(mega / 4)}`],
  ['a parameter without an end', part(named('key', `; x="${'\\"'.repeat(4000)}`), 'k') + end],
  ['parameters without a value', part(`${named('key')}${'; '.repeat(4000)}`, 'k') + end],
  ['spaces', part(`Content-Disposition: form-data; ${' '.repeat(8000)}name`, 'k') + end],
  ['almost delimiters alone', '\r\n--'.repeat(mega / 4)],
  ['delimiters of longer words', part(named('file'), '\r\n--bb'.repeat(mega / 6)) + end],
])('reads or rejects a form with %s in linear time', async (_, body) => {
  await expectLinearTime(body, 'b');
});

test('searches the longest boundary in linear time', async () => {
  await expectLinearTime('-'.repeat(mega), `${'-'.repeat(69)}b`);
});
