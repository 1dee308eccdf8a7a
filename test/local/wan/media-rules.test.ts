import { beforeAll, describe, expect, test } from 'vitest';
import { findModel } from '../../../local/wan/models.ts';
import { checkBody } from '../../../local/wan/request.ts';
import { clip, dataUrl, fetchOf, mp3, png, sharedWan, wanForTest, wav } from './support.ts';

/*
 * The rules for wan2.6-i2v-flash, wan2.7 and wan3.0, row by row, with what each accepts and rejects. Independent of the
 * emulator's own tables.
 */
const at = (name: string) => `https://files.example/${name}`;
const image = at('image.png');
const first = { type: 'first_frame', url: image };
const last = { type: 'last_frame', url: image };
const audio = { type: 'driving_audio', url: at('audio.wav') };
const source = { type: 'first_clip', url: at('clip-3s.mp4') };
const reference = (
  kind: 'image' | 'video' | 'audio',
  url = at({ image: 'image.png', video: 'clip-1s.mp4', audio: 'audio-1s.wav' }[kind]),
) => ({
  type: `reference_${kind}`,
  url,
});
const file = { type: 'file', url: at('story.pdf') };
const link = { type: 'link', url: 'https://example.com/story' };
const times = <T>(count: number, entry: T): T[] => new Array<T>(count).fill(entry);

const files: Record<string, Buffer> = {
  [image]: png(400, 400),
  [at('audio.wav')]: wav(5),
  [at('audio-1s.wav')]: wav(1),
  [at('story.pdf')]: Buffer.from('%PDF-1.7'),
};
const shared = sharedWan({ fetch: (url, options) => fetchOf(files).fetch(url, options), taskSeconds: 1_000_000 });

beforeAll(async () => {
  for (const seconds of [1, 3, 15])
    files[at(`clip-${seconds}s.mp4`)] = await clip({ seconds, fps: 16, size: '240x240' });
});

type Media = readonly object[] | string | object;
interface Request {
  readonly prompt?: string;
  readonly media?: Media | undefined;
  readonly input?: object;
  readonly parameters?: object;
}

/** Submits a request and returns the message of its rejection, or `accepted`. */
async function submit(model: string, { prompt = 'a cat', media, input, parameters }: Request, { client } = shared()) {
  const body = { model, input: { ...(prompt && { prompt }), ...(media && { media }), ...input }, parameters };
  const reply = await client.submit(body);
  if (reply.status === 200) return 'accepted';
  expect([reply.status, Object.keys(reply.body).sort()]).toEqual([400, ['code', 'message', 'request_id']]);
  return `${reply.body.code}: ${reply.body.message}`;
}

const wan27 = ['wan2.7-i2v', 'wan2.7-i2v-2026-04-25'];
const wan30 = ['wan3.0-video', 'wan3.0-video-prime'];

describe.each(wan27)('%s', (model) => {
  const combination = /^InvalidParameter: input.media has .*, but must be one of: first_frame; /;
  test.each<[string, Media | undefined, string | RegExp]>([
    ['a first frame', [first], 'accepted'],
    ['a first frame and audio', [first, audio], 'accepted'],
    ['first and last frame', [first, last], 'accepted'],
    ['first and last frame and audio, in any order', [audio, last, first], 'accepted'],
    ['a clip', [source], 'accepted'],
    ['a clip and a last frame', [source, last], 'accepted'],
    ['no media', undefined, /Field required: input.media/],
    ['an empty list', [], /Field required: input.media/],
    ['a last frame alone', [last], combination],
    ['audio alone', [audio], combination],
    ['last frame and audio', [last, audio], combination],
    ['two first frames', [first, first], combination],
    ['two last frames', [first, last, last], combination],
    ['two clips', [source, source], combination],
    ['a clip and audio', [source, audio], combination],
    ['a clip and a first frame', [source, first], combination],
    ['a clip, a last frame and audio', [source, last, audio], combination],
    ['a reference', [first, reference('image')], combination],
    ['a file', [first, file], combination],
    ['a type that does not exist', [{ type: 'middle_frame', url: image }], /input.media\[0\].type must be one of/],
    ['a type that an object inherits', [{ type: 'toString', url: image }], /input.media\[0\].type must be one of/],
    ['no type', [{ url: image }], /input.media\[0\].type/],
    ['no URL', [{ type: 'first_frame' }], /url error/],
    ['an empty URL', [{ type: 'first_frame', url: '' }], /url error/],
    ['an address of another scheme', [{ type: 'first_frame', url: 'ftp://files.example/a.png' }], /url error/],
    ['an inline image', [{ type: 'first_frame', url: dataUrl(png(400, 400)) }], 'accepted'],
    ['an inline clip', [{ type: 'first_clip', url: dataUrl(png(400, 400), 'video/mp4') }], /url error/],
    ['entries that are no objects', ['x'], /input.media\[0\]/],
    ['no list', { type: 'first_frame', url: image }, /input.media must be a list/],
  ])('responds to %s', async (_case, media, expected) => {
    expect(await submit(model, { media, parameters: { duration: 5 } })).toMatch(expected);
  });

  test.each<[object, string | RegExp]>([
    [{ resolution: '480P' }, /resolution must be one of 720P, 1080P$/],
    [{ resolution: '720P' }, 'accepted'],
    [{ resolution: '1080P' }, 'accepted'],
    [{ duration: 1 }, /duration must be one of/],
    [{ duration: 2 }, 'accepted'],
    [{ duration: 15 }, 'accepted'],
    [{ duration: 16 }, /duration must be one of/],
    [{ duration: 5.5 }, /duration must be one of/],
    [{ duration: -1 }, /duration must be one of/],
    [{ prompt_extend: false, watermark: true, seed: 7 }, 'accepted'],
    [{ prompt_extend: 'no' }, /prompt_extend must be true or false/],
    [{ watermark: 1 }, /watermark must be true or false/],
    [{ seed: -1 }, /seed must be a whole number/],
    [{ ratio: '16:9' }, /ratio is not supported/],
    [{ shot_type: 'multi' }, /shot_type is not supported/],
    [{ audio: false }, /audio is not supported/],
    [{ fps: 60, ratio: null }, 'accepted'],
  ])('responds to %j', async (parameters, expected) => {
    expect(await submit(model, { media: [first], parameters })).toMatch(expected);
  });

  test('needs no prompt, and cuts longer prompts than 5,000 and 500 characters', async () => {
    expect(await submit(model, { prompt: '', media: [first] })).toBe('accepted');
    expect(
      await submit(model, { prompt: 'x'.repeat(5001), media: [first], input: { negative_prompt: 'x'.repeat(501) } }),
    ).toBe('accepted');
  });

  test('rejects a total duration that does not exceed its clip', async () => {
    expect(await submit(model, { media: [source], parameters: { duration: 3 } })).toMatch(
      /duration 3 is the total, and must exceed the 3.0 s of first_clip/,
    );
    expect(await submit(model, { media: [source], parameters: { duration: 4 } })).toBe('accepted');
  });

  test('accepts img_url and audio_url, as published clients send them, but not together with media', async () => {
    expect(await submit(model, { input: { img_url: image, audio_url: at('audio.wav') } })).toBe('accepted');
    expect(await submit(model, { input: { audio_url: at('audio.wav') } })).toMatch(/Field required: input.img_url/);
    expect(await submit(model, { media: [audio], input: { img_url: image } })).toMatch(/input.media excludes/);
  });
});

describe.each(wan30)('%s', (model) => {
  const frames = /first_frame and last_frame exclude/;
  test.each<[string, Media | undefined, string | RegExp]>([
    ['a prompt alone', undefined, 'accepted'],
    ['a prompt and an empty list', [], 'accepted'],
    ['a first frame', [first], 'accepted'],
    ['first and last frame', [last, first], 'accepted'],
    ['a last frame alone', [last], /last_frame needs a first_frame/],
    ['two first frames', [first, first], /2 entries of type first_frame, at most 1/],
    ['two last frames', [first, last, last], /2 entries of type last_frame, at most 1/],
    ['10 reference images', times(10, reference('image')), 'accepted'],
    ['11 reference images', times(11, reference('image')), /11 entries of type reference_image, at most 10/],
    ['5 reference videos', times(5, reference('video')), 'accepted'],
    ['6 reference videos', times(6, reference('video')), /6 entries of type reference_video, at most 5/],
    ['5 reference audios', times(5, reference('audio')), 'accepted'],
    ['6 reference audios', times(6, reference('audio')), /6 entries of type reference_audio, at most 5/],
    [
      'references of all types and a file',
      [reference('image'), reference('video'), reference('audio'), file],
      'accepted',
    ],
    ['references and a link', [reference('image'), link], 'accepted'],
    ['two files', [file, file], /2 entries of type file, at most 1/],
    ['two links', [link, link], /2 entries of type link, at most 1/],
    ['a file and a link', [file, link], /file and link, at most one/],
    ['a first frame and a reference', [first, reference('image')], frames],
    ['a first frame and a reference video', [first, reference('video')], frames],
    ['a first frame and a reference audio', [first, reference('audio')], frames],
    ['a first frame and a file', [first, file], frames],
    ['first and last frame and a link', [first, last, link], frames],
    ['driving audio', [first, audio], /type must be one of first_frame, last_frame, reference_image/],
    ['a clip', [source], /type must be one of first_frame, last_frame, reference_image/],
    ['a link that is no web page', [{ type: 'link', url: 'oss://bucket/key' }], /url error/],
  ])('responds to %s', async (_case, media, expected) => {
    expect(await submit(model, { media })).toMatch(expected);
  });

  test.each<[object, string | RegExp]>([
    [{ resolution: '480P' }, 'accepted'],
    [{ resolution: '720P' }, 'accepted'],
    [{ resolution: '1080P' }, 'accepted'],
    [{ resolution: '4K' }, /resolution must be one of 480P, 720P, 1080P$/],
    ...['adaptive', '16:9', '4:3', '1:1', '3:4', '9:16'].map((ratio): [object, string] => [{ ratio }, 'accepted']),
    [{ ratio: '21:9' }, /ratio must be one of adaptive, 16:9/],
    [{ duration: -1 }, 'accepted'],
    [{ duration: 2 }, 'accepted'],
    [{ duration: 30 }, 'accepted'],
    [{ duration: 0 }, /duration must be one of/],
    [{ duration: 1 }, /duration must be one of/],
    [{ duration: 31 }, /duration must be one of/],
    [{ duration: 2.5 }, /duration must be one of/],
    [{ duration: -2 }, /duration must be one of/],
    [{ audio: true }, 'accepted'],
    [{ audio: false }, 'accepted'],
    [{ audio: 'no' }, /audio must be true or false/],
    [{ seed: 2147483647, watermark: true }, 'accepted'],
    [{ seed: 2147483648 }, /seed must be a whole number/],
    [{ shot_type: 'single' }, /shot_type is not supported/],
    [{ prompt_extend: true }, 'accepted'],
  ])('responds to %j', async (parameters, expected) => {
    expect(await submit(model, { media: [first], parameters })).toMatch(expected);
  });

  test('needs a prompt or media, and cuts a longer prompt than 20,000 characters', async () => {
    expect(await submit(model, { prompt: '' })).toMatch(/Field required: input.prompt or input.media/);
    expect(await submit(model, { prompt: '', media: [] })).toMatch(/Field required: input.prompt or input.media/);
    expect(await submit(model, { prompt: '', media: [reference('image')] })).toBe('accepted');
    expect(await submit(model, { prompt: 'x'.repeat(20_001) })).toBe('accepted');
  });

  test.each(['img_url', 'audio_url'])('rejects %s, which would be lost', async (field) => {
    expect(await submit(model, { input: { [field]: image } })).toMatch(`input.${field} is not supported by ${model}`);
  });

  test('rejects more than 30 s of input video and output together', async () => {
    const media = [reference('video', at('clip-15s.mp4'))];
    expect(await submit(model, { media, parameters: { duration: 15 } })).toBe('accepted');
    expect(await submit(model, { media, parameters: { duration: 16 } })).toMatch(/31.0 s together, at most 30/);
    expect(await submit(model, { media, parameters: { duration: -1 } })).toBe('accepted');
  });

  test('rejects more than 15 s of input videos or of audio together', async () => {
    const long = reference('video', at('clip-15s.mp4'));
    expect(await submit(model, { media: [long, reference('video')] })).toMatch(/video files are 16.0 s long together/);
    const recordings = [...times(3, reference('audio', at('audio.wav'))), reference('audio')];
    expect(await submit(model, { media: recordings.slice(0, 3) })).toBe('accepted');
    expect(await submit(model, { media: recordings })).toMatch(/audio files are 16.0 s long together/);
  });
});

describe('the files', () => {
  const check = async (model: string, type: string, content: Buffer) => {
    files[at('checked')] = content;
    return submit(model, { media: [{ type, url: at('checked') }], parameters: { duration: 12 } });
  };

  test.each<[string, Buffer, string | RegExp]>([
    ['of 240×240', png(240, 240), 'accepted'],
    ['of 239×400', png(239, 400), /239×400 pixels, width and height must be 240 to 8000/],
    ['of 8000×1000', png(8000, 1000), 'accepted'],
    ['of 8001×1100', png(8001, 1100), /8001×1100 pixels/],
    ['of 1921×240', png(1921, 240), /a ratio above 8:1/],
    ['of 240×1921', png(240, 1921), /a ratio above 8:1/],
    ['with an alpha channel', png(400, 400, { alpha: true }), /alpha channel/],
    ['of more than 20 MB', Buffer.concat([png(400, 400), Buffer.alloc(20 * 1024 * 1024)]), /larger than 20 MB/],
    ['that are audio', wav(3), /not a JPEG, PNG, BMP or WEBP/],
  ])('may be images %s', async (_case, content, expected) => {
    for (const [model, type] of [
      ['wan2.7-i2v', 'first_frame'],
      ['wan3.0-video', 'first_frame'],
      ['wan3.0-video', 'reference_image'],
    ] as const) {
      expect(await check(model, type, content)).toMatch(expected);
    }
  });

  test('are checked for every entry of media', async () => {
    files[at('small.png')] = png(100, 100);
    const small = { type: 'last_frame', url: at('small.png') };
    expect(await submit('wan2.7-i2v', { media: [first, small] })).toMatch(/InvalidURL: .*100×100/);
    const missing = { type: 'last_frame', url: at('missing.png') };
    expect(await submit('wan3.0-video', { media: [first, missing] })).toMatch(/^InvalidParameter.DataInspection: /);
  });

  const videos: [string, Parameters<typeof clip>[0], string | RegExp, string | RegExp][] = [
    ['of 2 s', { seconds: 2 }, 'accepted', 'accepted'],
    ['as MOV', { seconds: 2, format: 'mov' }, 'accepted', 'accepted'],
    ['of 10 s', { seconds: 10 }, 'accepted', 'accepted'],
    ['of 1.5 s', { seconds: 1.5 }, /1.5 s long, not 2 to 10 s/, 'accepted'],
    ['of 0.8 s', { seconds: 0.8 }, /0.8 s long, not 2 to 10 s/, /0.8 s long, not 1 to 15 s/],
    ['of 10.5 s', { seconds: 10.5 }, /10.5 s long, not 2 to 10 s/, 'accepted'],
    ['of 15.5 s', { seconds: 15.5 }, /15.5 s long, not 2 to 10 s/, /15.5 s long, not 1 to 15 s/],
    ['with 16 frames per second', { seconds: 2, fps: 16 }, 'accepted', 'accepted'],
    ['with 15 frames per second', { seconds: 2, fps: 15 }, 'accepted', /15.0 frames per second, at least 16/],
    ['of 238×300', { seconds: 2, size: '238x300' }, 'accepted', /238×300 pixels, width and height must be 240 to 4096/],
    ['of 4098×240', { seconds: 2, fps: 16, size: '4098x240' }, 'accepted', /4098×240 pixels/],
  ];
  test.each(videos)('may be videos %s', async (_case, options, asClip, asReference) => {
    const video = await clip({ size: '240x240', ...options });
    expect(await check('wan2.7-i2v', 'first_clip', video)).toMatch(asClip);
    expect(await check('wan3.0-video', 'reference_video', video)).toMatch(asReference);
  });

  test.each<[string, () => Promise<Buffer>, string | RegExp]>([
    ['moov at the end and 100 MB', async () => files[at('clip-3s.mp4')]!, 'accepted'],
    [
      'more than 100 MB',
      async () => Buffer.concat([files[at('clip-3s.mp4')]!, Buffer.alloc(100 * 1024 * 1024)]),
      /larger than 100 MB/,
    ],
    ['the bytes of an image', async () => files[image]!, /not an MP4 or MOV file/],
    ['its end missing', async () => files[at('clip-3s.mp4')]!.subarray(0, 300), /not an MP4 or MOV file/],
  ])('may not be videos with %s', async (_case, content, expected) => {
    expect(await check('wan2.7-i2v', 'first_clip', await content())).toMatch(expected);
  });

  test.each<[string, Buffer, string | RegExp, string | RegExp]>([
    ['a WAV of 2 s', wav(2), 'accepted', 'accepted'],
    ['a WAV of 1 s', wav(1), /1.0 s long, not 2 to 30 s/, 'accepted'],
    ['a WAV of 0.9 s', wav(0.9), /0.9 s long, not 2 to 30 s/, /0.9 s long, not 1 to 15 s/],
    ['a WAV of 15.1 s', wav(15.1), 'accepted', /15.1 s long, not 1 to 15 s/],
    ['a WAV of 30 s', wav(30), 'accepted', /30.0 s long/],
    ['a WAV of 30.1 s', wav(30.1), /30.1 s long/, /30.1 s long/],
    ['an MP3', mp3(4), 'accepted', 'accepted'],
    ['an image', png(400, 400), /not a WAV or MP3/, /not a WAV or MP3/],
    ['more than 15 MB', Buffer.alloc(15 * 1024 * 1024 + 1), /larger than 15 MB/, /larger than 15 MB/],
  ])('may be audio: %s', async (_case, content, asDriving, asReference) => {
    files[at('checked')] = content;
    const driving = [first, { type: 'driving_audio', url: at('checked') }];
    expect(await submit('wan2.7-i2v', { media: driving })).toMatch(asDriving);
    expect(await check('wan3.0-video', 'reference_audio', content)).toMatch(asReference);
  });

  test('may be a document, which must exist', async () => {
    expect(await check('wan3.0-video', 'file', Buffer.alloc(0))).toMatch(/the file is empty/);
    const missing = { type: 'file', url: at('missing.pdf') };
    expect(await submit('wan3.0-video', { media: [missing] })).toMatch(/DataInspection/);
  });
});

test.each<[object, string | RegExp]>([
  [{ duration: 2, audio: false, shot_type: 'multi' }, 'accepted'],
  [{ duration: 15 }, 'accepted'],
  [{ duration: 16 }, /duration must be one of/],
  [{ audio: 'x' }, /audio must be true or false/],
  [{ resolution: '480P' }, /resolution must be one of/],
])('wan2.6-i2v-flash responds to %j', async (parameters, expected) => {
  expect(await submit('wan2.6-i2v-flash', { input: { img_url: dataUrl(png(240, 8000)) }, parameters })).toMatch(
    expected,
  );
});

describe('the domain', () => {
  test.each([...wan27, ...wan30, 'wan2.6-i2v-flash'])('decides whether %s is answered', async (model) => {
    const { client } = await wanForTest({ domain: 'shared' });
    const input =
      model === 'wan2.6-i2v-flash'
        ? { img_url: dataUrl(files[image]!) }
        : { media: [{ ...first, url: dataUrl(files[image]!) }] };
    const { status, body } = await client.submit({ model, input });
    if (wan30.includes(model)) expect([status, body.code]).toEqual([403, 'Model.AccessDenied']);
    else expect(status).toBe(200);
  });
});

describe('facts that are not settled', () => {
  const submitWith = async (facts: object, model: string, request: Request) => {
    const wan = await wanForTest({ facts, fetch: fetchOf(files).fetch, taskSeconds: 1_000_000 });
    return submit(model, request, wan);
  };

  test('img_url of wan2.7 can be rejected', async () => {
    const request = { input: { img_url: image } };
    expect(await submitWith({ wan27ImgUrl: 'rejected' }, 'wan2.7-i2v', request)).toMatch(/use input.media/);
  });

  test('negative_prompt and prompt_extend of wan3.0 can be rejected', async () => {
    const negative = { input: { negative_prompt: 'flowers' } };
    expect(await submitWith({}, 'wan3.0-video', negative)).toBe('accepted');
    expect(await submitWith({ wan30NegativePrompt: 'rejected' }, 'wan3.0-video', negative)).toMatch(
      /input.negative_prompt is not supported/,
    );
    const extended = { parameters: { prompt_extend: true } };
    expect(await submitWith({ wan30PromptExtend: 'rejected' }, 'wan3.0-video', extended)).toMatch(
      /parameters.prompt_extend is not supported/,
    );
  });
});

test('a body is judged without its files', () => {
  const model = findModel('wan3.0-video')!;
  const media = [first, { ...last, url: at('missing.png') }];
  expect(checkBody({ input: { media } }, model)).toEqual({ value: { input: { media }, parameters: {}, media } });
});
