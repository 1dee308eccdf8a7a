import { describe, expect, test } from 'vitest';
import { checkRequest } from '../../../../functions/wan/validation/request.ts';
import { id3, mp3Of, wavOf } from '../../../support/audio-variants.ts';
import { app1, jpeg, png, segment } from '../../../support/image-variants.ts';
import { all, body, strict, tolerant } from './support.ts';

const image = jpeg({ width: 640, height: 400 });
const audio = mp3Of({ seconds: 4, before: [id3(3000)] });
const fields = {
  img_url: { file: image, type: 'image/jpeg', types: ['image/jpeg', 'image/jpg', 'image/pjpeg', 'IMAGE/JPEG'] },
  audio_url: { file: audio, type: 'audio/mpeg', types: ['audio/mpeg', 'audio/mp3', 'audio/x-mp3', 'audio/MPEG'] },
} as const;
type Field = keyof typeof fields;
const bothFields = ['img_url', 'audio_url'] as const;

const check = (field: Field, text: string, options = strict) =>
  checkRequest(body({}, { [field]: text }, 'wan2.5-i2v-preview'), options);

/** What is wrong with the value of a field: codes and messages. */
function refusalOf(field: Field, text: string, options = strict) {
  const checked = check(field, text, options);
  if (checked.ok) return { codes: [], messages: '' };
  for (const { pointer } of checked.issues) expect(pointer).toBe(`/input/${field}`);
  return {
    codes: checked.issues.map(({ code }) => code),
    messages: checked.issues.map(({ message }) => message).join(' '),
  };
}

describe.each(bothFields)('%s accepts a data: URL', (field) => {
  const { file, type, types } = fields[field];
  const base64 = file.toString('base64');

  test.each<[string, string]>([
    ...types.map((name): [string, string] => [`of the type ${name}`, `data:${name};base64,${base64}`]),
    ['of another type', `data:image/gif;base64,${base64}`],
    ['of a generic type', `data:application/octet-stream;base64,${base64}`],
    ['of a type for Windows', `data:image/x-ms-bmp;base64,${base64}`],
    ['of no type', `data:;base64,${base64}`],
    ['in upper case', `DATA:${type.toUpperCase()};BASE64,${base64}`],
    ['with a name', `data:${type};name=a.png;base64,${base64}`],
    ['with a name that has a comma', `data:${type};name="a, b.png";base64,${base64}`],
    ['with a character set', `data:${type};charset=utf-8;base64,${base64}`],
    ['with parameters and spaces', `data:${type}; name=a.png ; base64,${base64}`],
    ['with a long header', `data:${type};name=${'a'.repeat(3000)}.png;base64,${base64}`],
    ['with line breaks', `data:${type};base64,${base64.replace(/.{76}/g, '$&\r\n')}`],
    ['with spaces', `data:${type};base64, ${base64} `],
    ['after a line break', `\r\n data:${type};base64,${base64}`],
    ['with a tab', `data:${type};\tbase64,${base64}`],
    ['with a parameter at the end', `data:${type};base64;name=a.png,${base64}`],
    ['with line breaks that are percent-encoded', `data:${type};base64,${encodeURIComponent(`${base64}\r\n`)}`],
    ['in lines that end with blanks', `data:${type};base64,${file.toString('base64url').replace(/.{64}/g, '$& ')}`],
    ['without padding', `data:${type};base64,${base64.replace(/=+$/, '')}`],
    ['that is percent-encoded', `data:${type};base64,${encodeURIComponent(base64)}`],
    ['in the alphabet for URLs', `data:${type};base64,${file.toString('base64url')}`],
  ])('%s', (_kind, text) => {
    const checked = check(field, text);
    expect(checked).toMatchObject({
      ok: true,
      media: expect.arrayContaining([
        expect.objectContaining({
          pointer: `/input/${field}`,
          url: `data:${type};base64,${base64}`,
          inline: expect.objectContaining({
            facts: expect.objectContaining({ content_type: type, bytes: file.length }),
          }),
        }),
      ]),
      warnings: [],
    });
    const inline = checked.ok ? checked.media.find(({ pointer }) => pointer === `/input/${field}`)?.inline : undefined;
    expect(Buffer.compare(inline!.content, file)).toBe(0);
  });

  test.each<[string, string, code: string]>([
    ['without base64', `data:${type},abc`, 'invalid_data_url'],
    ['of nothing but a type', `data:${type};base64`, 'invalid_data_url'],
    ['of nothing', 'data:', 'invalid_data_url'],
    ['with a character that is none of base64', `data:${type};base64,${base64.slice(0, 400)}!`, 'invalid_data_url'],
    ['with padding within', `data:${type};base64,AA==AAAA`, 'invalid_data_url'],
    ['that ends within a byte', `data:${type};base64,AAAAA`, 'invalid_data_url'],
    ['that is empty', `data:${type};base64,`, `${field === 'img_url' ? 'image' : 'audio'}_empty`],
    [
      'of a page',
      `data:text/html;base64,${Buffer.from('<!doctype html><p>').toString('base64')}`,
      `unsupported_${field === 'img_url' ? 'image' : 'audio'}_type`,
    ],
  ])('but not one %s', (_kind, text, code) => {
    expect(refusalOf(field, text).codes).toEqual([code]);
  });
});

describe('a data: URL', () => {
  test('that a form decoded has its plus signs again', () => {
    const file = jpeg({
      width: 640,
      height: 400,
      before: [segment(0xe5, Buffer.from(`\xfb${'a\xfb\xefb'.repeat(20)}`, 'latin1'))],
    });
    const base64 = file.toString('base64');
    expect(base64.split('+').length).toBeGreaterThan(5);
    const checked = check('img_url', `data:image/jpeg;base64,${base64.replaceAll('+', ' ')}`);
    expect(checked).toMatchObject({ ok: true, media: [{ url: `data:image/jpeg;base64,${base64}` }] });
  });

  test('is refused with everything that is wrong with its image, and with the rest of the request', () => {
    const photo = Buffer.concat([png({ width: 4000, height: 3000, colorType: 6 }), Buffer.alloc(5000)]);
    const given = body({ duration: 7 }, { img_url: `data:image/png;base64,${photo.toString('base64')}` });
    const checked = checkRequest(given, { ...strict, maxInlineBytes: 5000 });
    const found = checked.ok ? [] : checked.issues.map(({ pointer, code }) => `${pointer} ${code}`);
    expect(found).toEqual([
      '/parameters/duration unsupported_duration',
      '/input/img_url image_too_large',
      '/input/img_url image_dimensions',
      '/input/img_url image_has_alpha',
    ]);
    expect(JSON.stringify(checked)).toMatch(/may have 5000 bytes.*POST \/uploads.*-resize '2000x2000>'.*-alpha off/);
  });

  test('is inspected by the limits of the model, and by the setting for rotated images', () => {
    const rotated = `data:image/jpeg;base64,${jpeg({ width: 640, height: 400, before: [app1(6)] }).toString('base64')}`;
    expect(check('img_url', rotated)).toMatchObject({
      ok: true,
      warnings: [{ pointer: '/input/img_url', code: 'image_rotated_by_exif' }],
    });
    expect(refusalOf('img_url', rotated, { ...strict, rotatedImages: 'refuse' }).codes).toEqual([
      'image_rotated_by_exif',
    ]);
    const large = `data:image/png;base64,${png({ width: 250, height: 7000 }).toString('base64')}`;
    expect(checkRequest(body({}, { img_url: large }, 'wan2.6-i2v-flash'), all).ok).toBe(true);
    expect(refusalOf('img_url', large).codes).toEqual(['image_dimensions']);
  });

  test('is not accepted where a caller accepts no files within requests', () => {
    const url = `data:audio/mpeg;base64,${audio.toString('base64')}`;
    expect(refusalOf('audio_url', url, { ...strict, maxInlineBytes: 0 })).toMatchObject({
      codes: ['unsupported_url_scheme'],
      messages: expect.stringContaining('Upload the file'),
    });
  });

  test('of 40 MB is read without a large stack', () => {
    const text = 'A'.repeat(40_000_000);
    expect(refusalOf('img_url', `data:image/png;base64,${text}!AAA`).codes).toEqual(['invalid_data_url']);
    expect(refusalOf('img_url', `data:${text}`).codes).toEqual(['invalid_data_url']);
  });
});

describe.each(bothFields)('%s, given something else than an address,', (field) => {
  const { file, type } = fields[field];
  const base64 = file.toString('base64');

  test.each<[string, string]>([
    ['long', base64],
    ['of less than 2,048 characters', base64.slice(0, 1200)],
    ['in the alphabet for URLs', file.toString('base64url')],
    ['with line breaks', base64.replace(/.{76}/g, '$&\n')],
  ])('explains what bare base64 lacks: %s', (_kind, text) => {
    expect(refusalOf(field, text).messages).toBe(
      `This is base64 without its beginning. Put data:${type};base64, before it.`,
    );
  });

  test('names the type that the bytes of bare base64 have', () => {
    const other = field === 'img_url' ? png({ width: 400, height: 400 }) : wavOf({ seconds: 3 });
    const message = `Put data:${field === 'img_url' ? 'image/png' : 'audio/wav'};base64, before it.`;
    expect(refusalOf(field, other.toString('base64')).messages).toContain(message);
  });

  test.each([
    './photo.jpg',
    'photo.jpg',
    '../photos/my cat.jpg',
    '/home/me/photo.jpg',
    '~/photo.jpg',
    'C:\\Users\\me\\photo.jpg',
    '\\\\server\\photo.jpg',
    'file:///home/me/photo.jpg',
    'file://C:/photo.jpg',
    'blob:https://example.com/9115d58c',
    'ftp://example.com/photo.jpg',
    '//example.com/photo.jpg',
    'example.com/photo.jpg',
    'oss://dashscope-instant/a/photo.jpg',
    `ftp://example.com/${'a'.repeat(9000)}/photo.jpg`,
    `./${'a/'.repeat(5000)}photo.jpg`,
  ])('explains how to send a file: %.60j', (text) => {
    const { codes, messages } = refusalOf(field, text);
    expect(['invalid_url', 'unsupported_url_scheme']).toContain(codes.join());
    expect(messages).toContain('Upload a file of your own through POST /uploads');
    expect(messages).toContain('send it as a data: URL');
    expect(messages).toContain('https://');
    expect(messages).not.toContain('photo');
  });

  test.each([
    ['https://example.com/a b.png', 'percent-encoded'],
    [`https://example.com/${'a'.repeat(9000)}`, 'longer than 8192'],
    [`https://example.com/${'a'.repeat(9000)}`, 'upload the file with POST /uploads and give its "media_url"'],
    [`https://example.com/${'ä'.repeat(3000)}`, 'POST /uploads'],
    ['https://user:secret@example.com/a.png', 'user name or password'],
  ])('keeps the explanation of a web address: %s', (text, explanation) => {
    expect(refusalOf(field, text).messages).toContain(explanation);
  });
});

describe('where clients of Wan are tolerated', () => {
  test.each(bothFields)('%s accepts bare base64', (field) => {
    const { file, type } = fields[field];
    expect(check(field, file.toString('base64'), tolerant)).toMatchObject({
      ok: true,
      media: expect.arrayContaining([
        expect.objectContaining({ url: `data:${type};base64,${file.toString('base64')}` }),
      ]),
    });
  });

  test('a webhook is no file', () => {
    const checked = checkRequest({ ...body(), webhook_url: 'data:text/plain;base64,AAAA' }, strict);
    expect(checked).toMatchObject({ ok: false, issues: [{ pointer: '/webhook_url', code: 'unsupported_url_scheme' }] });
  });
});
