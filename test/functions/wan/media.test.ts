import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../../functions/submissions/identity.ts';
import type { MediaType } from '../../../functions/wan/media.ts';
import { withMediaList } from '../../../functions/wan/media.ts';
import { checkRequest } from '../../../functions/wan/validation/request.ts';
import { all, findings, strict, tolerant } from './validation/support.ts';

const allTolerant = { ...tolerant, deployment: all.deployment };
const url = (type: string, index = 0) => `https://example.com/${type}-${index}`;
const list = (...types: string[]) => types.map((type, index) => ({ type, url: url(type, index) }));
const request = (model: string, media: unknown, given: { input?: object; parameters?: object } = {}) => ({
  model,
  input: { prompt: 'A cat runs', ...(media === undefined ? {} : { media }), ...given.input },
  ...(given.parameters ? { parameters: given.parameters } : {}),
});

const wan27 = ['wan2.7-i2v', 'wan2.7-i2v-2026-04-25'];
const wan30 = ['wan3.0-video', 'wan3.0-video-prime'];
const silent = ['wan2.2-i2v-plus', 'wan2.2-i2v-flash', 'wan2.1-i2v-turbo', 'wan2.1-i2v-plus'];
const withAudio = ['wan2.6-i2v', 'wan2.5-i2v-preview', 'wan2.6-i2v-flash'];

/** Each combination that a group of models takes (wan-2026, and the reference for its six models). */
const combinations: [models: string[], types: MediaType[][]][] = [
  [silent, [['first_frame']]],
  [withAudio, [['first_frame'], ['first_frame', 'driving_audio']]],
  [
    wan27,
    [
      ['first_frame'],
      ['first_frame', 'driving_audio'],
      ['first_frame', 'last_frame'],
      ['first_frame', 'last_frame', 'driving_audio'],
      ['first_clip'],
      ['first_clip', 'last_frame'],
    ],
  ],
  [
    wan30,
    [
      [],
      ['first_frame'],
      ['first_frame', 'last_frame'],
      ['reference_image'],
      ['reference_video'],
      ['reference_audio'],
      ['reference_image', 'reference_video'],
      ['reference_image', 'reference_audio'],
      ['reference_video', 'reference_audio'],
      ['reference_image', 'reference_video', 'reference_audio'],
    ],
  ],
];

const types: MediaType[] = [
  ...(['first_frame', 'last_frame', 'first_clip', 'driving_audio'] as const),
  ...(['reference_image', 'reference_video', 'reference_audio'] as const),
];
const subsets = Array.from({ length: 1 << types.length }, (_, bits) =>
  types.filter((__, index) => bits & (1 << index)),
);

describe.each(combinations.flatMap(([models, accepted]) => models.map((model) => [model, accepted] as const)))(
  '%s',
  (model, accepted) => {
    test('combines exactly the types of its row, in any order', () => {
      const known = new Set(accepted.map((set) => types.filter((type) => set.includes(type)).join()));
      for (const subset of subsets) {
        for (const options of [all, allTolerant]) {
          const found = findings(request(model, list(...subset.toReversed())), options);
          const refused = found.filter((finding) => !finding.endsWith('! empty_value'));
          expect(refused.length === 0, `${model} ${subset.join(' + ')}: ${refused.join(', ')}`).toBe(
            known.has(subset.join()),
          );
        }
      }
    });

    test('takes each type once, unless its row has more', () => {
      const most: Record<string, number> = { reference_image: 10, reference_video: 5, reference_audio: 5 };
      for (const type of new Set(accepted.flat())) {
        const others = accepted.find((set) => set.includes(type))!.filter((other) => other !== type);
        const count = most[type] ?? 1;
        const parameters = type === 'reference_video' ? { parameters: { duration: 10 } } : {};
        expect(findings(request(model, list(...others, ...Array(count).fill(type)), parameters), all)).toEqual([]);
        expect(findings(request(model, list(...others, ...Array(count + 1).fill(type)), parameters), all)).toContain(
          `/input/media/${others.length + count}/url too_many_media`,
        );
      }
    });

    test('takes no documents, and refuses them by name', () => {
      for (const type of ['file', 'link']) {
        const checked = checkRequest(request(model, list('first_frame', type)), all);
        expect(checked.ok ? [] : checked.issues).toEqual([
          {
            pointer: '/input/media/1/url',
            code: 'document_not_offered',
            message: expect.stringContaining(`Documents (${type}) are not offered.`),
          },
        ]);
      }
    });
  },
);

describe('the pointer of an issue', () => {
  test('is where the caller gave the medium', () => {
    const bad = 'http://10.0.0.1/';
    const short = { img_url: bad, last_frame_url: bad, audio_url: bad };
    expect(findings(request('wan2.7-i2v', undefined, { input: short }), all)).toEqual([
      '/input/img_url private_url',
      '/input/last_frame_url private_url',
      '/input/audio_url private_url',
    ]);
    const listed = ['driving_audio', 'last_frame', 'first_frame'].map((type) => ({ type, url: bad }));
    expect(findings(request('wan2.7-i2v', listed), all)).toEqual([
      '/input/media/2/url private_url',
      '/input/media/1/url private_url',
      '/input/media/0/url private_url',
    ]);
    expect(findings(request('wan2.7-i2v', list('last_frame')), all)).toEqual(['/input/media missing']);
    expect(findings(request('wan2.7-i2v', undefined, { input: { last_frame_url: url('x') } }), all)).toEqual([
      '/input/img_url missing',
    ]);
    expect(findings(request('wan2.7-i2v', list('first_frame'), { input: { img_url: url('x') } }), all)).toEqual([
      '/input/media/0/url too_many_media',
    ]);
  });

  test.each<[string, unknown, string]>([
    ['no list', 'x', '/input/media wrong_type'],
    ['a list of texts', ['x'], '/input/media/0 wrong_type'],
    ['an unknown type', list('middle_frame'), '/input/media/0/type invalid_value'],
    ['an entry without a URL', [{ type: 'first_frame' }], '/input/media/0/url wrong_type'],
    ['too many entries', list(...Array(33).fill('reference_image')), '/input/media out_of_range'],
  ])('names %s', (_, media, expected) => {
    for (const options of [all, allTolerant])
      expect(findings(request('wan3.0-video', media), options)).toEqual([expected]);
  });

  test('names an unknown field of an entry, which tolerant mode ignores', () => {
    const media = [{ type: 'first_frame', url: url('x'), reference_voice: url('y') }];
    expect(findings(request('wan2.7-i2v', media), all)).toEqual(['/input/media/0/reference_voice unknown_field']);
    expect(findings(request('wan2.7-i2v', media), allTolerant)).toEqual([
      '/input/media/0/reference_voice ! unknown_field',
    ]);
  });

  test('names everything that is wrong with the media of a request', () => {
    const media = list('first_frame', 'first_frame', 'reference_image', 'first_clip', 'link');
    expect(findings(request('wan3.0-video', media), all).toSorted()).toEqual([
      '/input/media/1/url too_many_media',
      '/input/media/2/url media_combination',
      '/input/media/3/url media_not_supported',
      '/input/media/4/url document_not_offered',
    ]);
  });
});

describe('the rules of wan2.7 and wan3.0', () => {
  /** `pointer code` in strict mode, and what tolerant mode makes of it. */
  const rules: [string, string, object, string, 'refused' | 'ignored'][] = [
    ...wan27.flatMap((model): typeof rules => [
      [model, 'ratio', { parameters: { ratio: '16:9' } }, '/parameters/ratio ratio_not_supported', 'ignored'],
      [model, 'audio', { parameters: { audio: true } }, '/parameters/audio audio_switch_not_supported', 'ignored'],
      [
        model,
        'shot_type',
        { parameters: { shot_type: 'multi' } },
        '/parameters/shot_type shot_type_not_supported',
        'refused',
      ],
      [
        model,
        'a duration of its choice',
        { parameters: { duration: -1 } },
        '/parameters/duration unsupported_duration',
        'refused',
      ],
      [
        model,
        'a video effect',
        { input: { template: 'flying', prompt: undefined } },
        '/input/template template_not_supported',
        'refused',
      ],
    ]),
    ...wan30.flatMap((model): typeof rules => [
      [
        model,
        'a negative prompt',
        { input: { negative_prompt: 'x' } },
        '/input/negative_prompt negative_prompt_not_supported',
        'ignored',
      ],
      [
        model,
        'prompt_extend',
        { parameters: { prompt_extend: true } },
        '/parameters/prompt_extend prompt_extend_not_supported',
        'ignored',
      ],
      [
        model,
        'shot_type',
        { parameters: { shot_type: 'multi' } },
        '/parameters/shot_type shot_type_not_supported',
        'refused',
      ],
      [model, 'another ratio', { parameters: { ratio: '2:1' } }, '/parameters/ratio invalid_value', 'refused'],
      [model, 'no length', { parameters: { duration: 0 } }, '/parameters/duration invalid_value', 'refused'],
    ]),
  ];

  test.each(rules)('%s takes no %s', (model, _, given, finding, inTolerantMode) => {
    const body = request(model, list('first_frame'), given);
    expect(findings(body, all)).toEqual([finding]);
    expect(findings(body, allTolerant)).toEqual([inTolerantMode === 'ignored' ? finding.replace(' ', ' ! ') : finding]);
  });

  test('wan3.0 takes every ratio, a silent video, 480P and a length of its own choice', () => {
    for (const ratio of ['adaptive', '16:9', '4:3', '1:1', '3:4', '9:16']) {
      const parameters = { ratio, audio: false, resolution: '480P', duration: -1, seed: 1, watermark: true };
      expect(checkRequest(request('wan3.0-video', list('first_frame'), { parameters }), all)).toMatchObject({
        ok: true,
        request: { parameters },
        warnings: [],
      });
    }
  });

  test('wan3.0 needs a prompt or media', () => {
    expect(findings({ model: 'wan3.0-video', input: {} }, all)).toEqual(['/input prompt_or_media_missing']);
    expect(findings({ model: 'wan3.0-video', input: { prompt: ' ' } }, all)).toEqual([
      '/input prompt_or_media_missing',
    ]);
    expect(findings({ model: 'wan3.0-video', input: { media: list('reference_image') } }, all)).toEqual([]);
  });

  test('the defaults of each are those of its row', () => {
    const parametersOf = (model: string) => {
      const checked = checkRequest(request(model, list('first_frame')), all);
      return checked.ok && checked.request.parameters;
    };
    for (const model of wan27) {
      expect(parametersOf(model)).toEqual({ resolution: '1080P', duration: 5, prompt_extend: true, watermark: false });
    }
    for (const model of wan30)
      expect(parametersOf(model)).toEqual({ resolution: '1080P', duration: 5, watermark: false });
  });

  test('input video and output of wan3.0 may last 30 s, of which each video has at least one', () => {
    const asked = (videos: number, duration: number) =>
      findings(
        request('wan3.0-video', list(...Array(videos).fill('reference_video')), { parameters: { duration } }),
        all,
      );
    expect(asked(1, 29)).toEqual([]);
    expect(asked(1, 30)).toEqual(['/parameters/duration unsupported_duration']);
    expect(asked(5, 26)).toEqual(['/parameters/duration unsupported_duration']);
    expect(asked(5, -1)).toEqual([]);
  });

  test('a prompt of 5,000 or 20,000 characters is read whole', () => {
    const prompt = (length: number) => ({ input: { prompt: 'a'.repeat(length) } });
    expect(findings(request('wan2.7-i2v', list('first_frame'), prompt(5000)), all)).toEqual([]);
    expect(findings(request('wan2.7-i2v', list('first_frame'), prompt(5001)), all)).toEqual([
      '/input/prompt ! prompt_truncated',
    ]);
    expect(findings(request('wan3.0-video', undefined, prompt(20_000)), all)).toEqual([]);
    expect(findings(request('wan3.0-video', undefined, prompt(20_001)), all)).toEqual([
      '/input/prompt prompt_too_long',
    ]);
  });
});

describe('names of clients', () => {
  test.each([
    ['wanx2.1-i2v-plus', 'wan2.1-i2v-plus'],
    ['wanx2.1-i2v-turbo', 'wan2.1-i2v-turbo'],
  ])('%s is %s for clients of Wan, and unknown in POST /videos', (alias, model) => {
    const body = { model: alias, input: { img_url: url('x') } };
    expect(checkRequest(body, tolerant)).toMatchObject({ ok: true, request: { model } });
    expect(findings(body, strict)).toEqual(['/model unknown_model']);
  });

  test('a model that is not offered is refused with the setting that it needs, and with its other issues', () => {
    const body = request('wan3.0-video-prime', list('first_clip'), { parameters: { duration: 31 } });
    const checked = checkRequest(body, strict);
    expect(checked.ok ? [] : checked.issues.map(({ code }) => code)).toEqual([
      'model_not_offered',
      'media_not_supported',
      'unsupported_duration',
    ]);
    expect(JSON.stringify(checked)).toMatch(/workspaceId.*prices.*Offered are wan2\.6-i2v/);
  });
});

describe('the identity of a request', () => {
  const short = { model: 'wan2.7-i2v', input: { img_url: 'a', audio_url: 'c', last_frame_url: 'b', prompt: 'x' } };
  const listed = {
    model: 'wan2.7-i2v',
    input: {
      prompt: 'x',
      media: [
        { type: 'driving_audio', url: 'c' },
        { url: 'b', type: 'last_frame' },
        { type: 'first_frame', url: 'a' },
      ],
    },
  };

  test('is the same for shorthand, list and both', () => {
    const both = { ...short, input: { img_url: 'a', prompt: 'x', media: listed.input.media.slice(0, 2) } };
    expect(fingerprint(listed)).toBe(fingerprint(short));
    expect(fingerprint(both)).toBe(fingerprint(short));
  });

  test('differs by any medium, and by the order within a type, which numbers references', () => {
    const [one, two] = list('reference_image', 'reference_image');
    expect(fingerprint(request('x', [one, two]))).not.toBe(fingerprint(request('x', [two, one])));
    expect(fingerprint({ ...short, input: { ...short.input, img_url: 'd' } })).not.toBe(fingerprint(short));
    expect(fingerprint(request('x', []))).toBe(fingerprint(request('x', undefined)));
  });

  test.each([
    [null],
    ['x'],
    [[]],
    [{ input: 7 }],
    [{ input: { media: 'x', img_url: 'a' } }],
    [{ input: { media: [1] } }],
  ])('returns what is no request unchanged: %j', (body) => expect(withMediaList(body)).toEqual(body));
});
