import { beforeAll, describe, expect, test } from 'vitest';
import { inspectAudio } from '../../../functions/media/audio.ts';
import { fileKind, mediaTypeOf, wrongKindMessage } from '../../../functions/media/file-kind.ts';
import { inspectImage } from '../../../functions/media/image.ts';
import { mp3Of, wavOf } from '../../support/audio-variants.ts';
import { bmp, jpeg, png, webp } from '../../support/image-variants.ts';
import { ffmpegFile, h264, movingImage, tone } from './support.ts';

const size = { width: 400, height: 400 };
const box = (brand: string) => Buffer.from(`\0\0\0\x18ftyp${brand}\0\0\0\0`, 'latin1');
const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('a file of another kind is named', () => {
  test.each<[string, Buffer, description: string, fix: string]>([
    ['HEIC', box('heic'), 'a HEIC image', "magick 'in.heic[0]' out.jpg"],
    ['HEIC of a burst', box('hevc'), 'a HEIC image', 'magick'],
    ['HEIF', box('mif1'), 'a HEIC image', 'magick'],
    ['AVIF', box('avif'), 'an AVIF image', "magick 'in.avif[0]' out.jpg"],
    ['GIF', bytes('GIF89a\x10\0'), 'a GIF image', "magick 'in.gif[0]' out.jpg"],
    ['TIFF', bytes('II*\0\x08\0\0\0'), 'a TIFF image', 'magick'],
    ['TIFF, big-endian', bytes('MM\0*\0\0\0\x08'), 'a TIFF image', 'magick'],
    ['JPEG XL', bytes('\xff\x0a\xfa\x1f'), 'a JPEG XL image', 'magick'],
    ['JPEG 2000', bytes('\0\0\0\x0cjP  \r\n\x87\n'), 'a JPEG 2000 image', 'magick'],
    ['Photoshop', bytes('8BPS\0\x01'), 'a Photoshop image', 'magick'],
    ['icon', bytes('\0\0\x01\0\x01\0'), 'an icon image', 'magick'],
    ['SVG', bytes('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'an SVG image', 'magick'],
    ['SVG with a prolog', bytes('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a -->\n<svg/>'), 'an SVG image', 'magick'],
    ['PDF', bytes('%PDF-1.7\n'), 'a PDF document', "magick -density 150 'in.pdf[0]' out.jpg"],
    ['HTML', bytes('<!DOCTYPE html>\n<html>'), 'an HTML page', 'error page'],
    ['HTML without a doctype', bytes('  <html lang="en">'), 'an HTML page', 'error page'],
    ['XML', bytes('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>'), 'an XML document', 'error page'],
    ['JSON', bytes('{"error": "not found"}'), 'a JSON document', 'error page'],
    ['a list in JSON', bytes('[{"a": 1}]'), 'a JSON document', 'error page'],
    ['text', bytes('BMW and other words that begin like an image do'), 'a text', 'error page'],
    ['a short text', bytes('Not found'), 'a text', 'error page'],
    ['text of UTF-16', bytes('\xff\xfeh\0i\0'), 'a text', 'error page'],
    ['text of UTF-8', Buffer.from('猫が草の上を走っている、というだけの文章。'), 'a text', 'error page'],
    ['a data: URL', bytes('data:image/png;base64,iVBORw0KGgo='), 'the text of a data: URL', 'decode it'],
    ['ZIP', bytes('PK\x03\x04\x14\0'), 'a ZIP archive', 'from within'],
    ['gzip', bytes('\x1f\x8b\x08\0'), 'a compressed archive', 'Unpack'],
    ['MP4', box('isom'), 'an MP4 video', 'ffmpeg -i in.mp4 -frames:v 1 out.jpg'],
    ['QuickTime', box('qt  '), 'a QuickTime video', 'ffmpeg -i in.mov -frames:v 1 out.jpg'],
    ['WebM', bytes('\x1a\x45\xdf\xa3\x9f'), 'a Matroska or WebM video', 'ffmpeg'],
    ['AVI', bytes('RIFF\0\0\0\0AVI LIST'), 'an AVI video', 'ffmpeg'],
    ['AAC', bytes('\xff\xf1\x50\x80'), 'an AAC audio file', 'accepts JPEG'],
    ['WAV', wavOf({ seconds: 3 }), 'a WAV audio file', 'accepts JPEG'],
    ['anything else', bytes('\x01\x02\x03'), 'of an unknown kind', 'accepts JPEG'],
  ])('in place of an image: %s', (_kind, file, description, fix) => {
    const inspected = inspectImage(file, file.length);
    const message = expect.stringMatching(/^The file is .*Wan accepts JPEG, PNG, BMP and WEBP images\./);
    expect(inspected).toEqual({ ok: false, issues: [{ code: 'unsupported_image_type', message }] });
    expect(JSON.stringify(inspected)).toContain(description);
    expect(JSON.stringify(inspected)).toContain(fix);
  });

  test('a PNG in the form of Apple, with what converts it', () => {
    const file = bytes('\x89PNG\r\n\x1a\n\0\0\0\x04CgBI\x50\0\x20\x02');
    expect(wrongKindMessage(file, 'image')).toMatch(/CgBI.*sips -s format jpeg/);
    expect(mediaTypeOf(file)).toBeUndefined();
  });

  const encoded = new Map<string, Buffer>();
  beforeAll(async () => {
    for (const name of ['a.aac', 'a.m4a', 'a.flac', 'a.ogg', 'a.mp2', 'a.aiff', 'a.wma']) {
      encoded.set(name, await ffmpegFile(name, ...tone(4)));
    }
    encoded.set('a.mp4', await ffmpegFile('a.mp4', ...movingImage('64x64', 1), ...h264));
    encoded.set('a.webm', await ffmpegFile('a.webm', ...movingImage('64x64', 1)));
    encoded.set('a.gif', await ffmpegFile('a.gif', ...movingImage('64x64', 1)));
  });
  test.each([
    ['a.aac', 'an AAC audio file', 'ffmpeg -i in.aac out.mp3'],
    ['a.m4a', 'an MP4 audio file', 'ffmpeg -i in.m4a out.mp3'],
    ['a.flac', 'a FLAC audio file', 'ffmpeg -i in.flac out.mp3'],
    ['a.ogg', 'an Ogg audio file', 'ffmpeg -i in.ogg out.mp3'],
    ['a.mp2', 'an MP2 audio file', 'ffmpeg -i in.mp2 out.mp3'],
    ['a.aiff', 'an AIFF audio file', 'ffmpeg -i in.aiff out.mp3'],
    ['a.wma', 'a Windows Media audio file', 'ffmpeg -i in.wma out.mp3'],
    ['a.mp4', 'an MP4 video', 'ffmpeg -i in.mp4 out.mp3'],
    ['a.webm', 'a Matroska or WebM video', 'ffmpeg -i in.webm out.mp3'],
    ['a.gif', 'a GIF image', 'accepts WAV and MP3 files'],
  ])('in place of audio, as ffmpeg writes it: %s', (name, description, fix) => {
    const file = encoded.get(name)!;
    const inspected = inspectAudio(file, file.length);
    expect(inspected).toMatchObject({ ok: false, issues: [{ code: 'unsupported_audio_type' }] });
    expect(JSON.stringify(inspected)).toContain(description);
    expect(JSON.stringify(inspected)).toContain(fix);
  });
});

test('what Wan reads is known by its first bytes', () => {
  expect(
    [
      jpeg(size),
      png(size),
      bmp(size),
      bmp({ ...size, header: 12 }),
      webp(size),
      wavOf({ seconds: 3 }),
      mp3Of({ seconds: 3 }),
    ].map(mediaTypeOf),
  ).toEqual(['image/jpeg', 'image/png', 'image/bmp', 'image/bmp', 'image/webp', 'audio/wav', 'audio/mpeg']);
  expect(fileKind(Buffer.alloc(0))).toBeUndefined();
});

test('no beginning of a file takes long to recognize', () => {
  for (const text of ['<!>', '<?x ', '<!--', ' \n', '[[', '{', '<', '\xef\xbb\xbf']) {
    const started = performance.now();
    fileKind(bytes(text.repeat(500)));
    expect(performance.now() - started).toBeLessThan(2000);
  }
});
