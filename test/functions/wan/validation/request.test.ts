import Ajv from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { findModel, modelNames, models, resolutionNames } from '../../../../functions/wan/catalogue.ts';
import { takesDuration } from '../../../../functions/wan/output.ts';
import { offeredModels } from '../../../../functions/wan/prices.ts';
import { type CheckOptions, checkRequest } from '../../../../functions/wan/validation/request.ts';
import { inputFields, parameterFields, videoRequestSchema } from '../../../../functions/wan/validation/schema.ts';
import { isBelow } from '../../../../functions/wan/validation/urls.ts';
import { firstFrame } from '../../../support/videos.ts';
import { png } from '../../media/support.ts';
import { all, body, findings, img_url, strict, tolerant } from './support.ts';

const offered = offeredModels(strict.deployment).map(({ name }) => name);

describe('checkRequest', () => {
  test("fills in the model's defaults", () => {
    expect(checkRequest({ model: 'wan2.6-i2v', input: { img_url, prompt: 'A cat' } }, strict)).toEqual({
      ok: true,
      request: {
        model: 'wan2.6-i2v',
        input: { prompt: 'A cat', media: firstFrame(img_url) },
        parameters: { resolution: '1080P', duration: 5, prompt_extend: true, watermark: false, shot_type: 'single' },
        metadata: {},
      },
      media: [{ type: 'first_frame', url: img_url, pointer: '/input/img_url' }],
      warnings: [],
    });
    expect(checkRequest(body({}, {}, 'wan2.1-i2v-turbo'), strict)).toMatchObject({
      request: { parameters: { resolution: '720P', duration: 5, prompt_extend: true, watermark: false } },
    });
  });

  test('keeps the given values', () => {
    const request = {
      ...body({ resolution: '720P', duration: 15, prompt_extend: true, shot_type: 'multi', watermark: true, seed: 0 }),
      metadata: { project: 'spring', 'a.b-c_d': 'ä' },
    };
    const { img_url } = request.input;
    const [prompts, audio_url] = [{ prompt: 'p', negative_prompt: 'n' }, 'https://example.com/a.mp3'];
    Object.assign(request.input, { ...prompts, audio_url });
    const media = [
      { type: 'first_frame', url: img_url },
      { type: 'driving_audio', url: audio_url },
    ];
    const webhook_url = 'https://hooks.example/x';
    expect(checkRequest({ ...request, webhook_url, webhook_events: 'all' }, strict)).toEqual({
      ok: true,
      request: { ...request, input: { ...prompts, media }, webhook: { url: webhook_url, events: 'all' } },
      media: media.map((item, index) => ({ ...item, pointer: ['/input/img_url', '/input/audio_url'][index] })),
      warnings: [],
    });
  });

  test.each(models.map(({ name }) => name))('%s: accepts exactly the tiers and durations of its row', (name) => {
    const model = findModel(name);
    for (const resolution of resolutionNames) {
      const expected = model.resolutions.includes(resolution) ? [] : ['/parameters/resolution unsupported_resolution'];
      expect(findings(body({ resolution }, {}, name), all)).toEqual(expected);
    }
    for (let duration = 1; duration <= 40; duration += 1) {
      const expected = takesDuration(model.durations, duration) ? [] : ['/parameters/duration unsupported_duration'];
      expect(findings(body({ duration }, {}, name), all)).toEqual(expected);
    }
  });

  test('reports all issues', () => {
    const broken = {
      model: 'wan2.2-i2v-plus',
      input: { prompt: 5, img_url: 'http://10.0.0.1/', audio_url: 'ftp://a', extra: 1 },
      parameters: {
        resolution: '4K',
        duration: 5.5,
        shot_type: 'many',
        watermark: 'yes',
        seed: -1,
        prompt_extend: null,
      },
      metadata: { ok: 1, 'a b': 'x' },
      webhook_url: 'http://a.example',
      extra: true,
    };
    expect(findings(broken).sort()).toEqual([
      '/extra unknown_field',
      '/input/audio_url media_not_supported',
      '/input/audio_url unsupported_url_scheme',
      '/input/extra unknown_field',
      '/input/img_url private_url',
      '/input/prompt wrong_type',
      '/metadata/a b invalid_name',
      '/metadata/ok wrong_type',
      '/parameters/duration wrong_type',
      '/parameters/prompt_extend wrong_type',
      '/parameters/resolution invalid_value',
      '/parameters/seed out_of_range',
      '/parameters/shot_type invalid_value',
      '/parameters/watermark wrong_type',
      '/webhook_url unsupported_url_scheme',
    ]);
  });

  test.each([
    ['a list', [], [' wrong_type']],
    ['a text', 'x', [' wrong_type']],
    ['null', null, [' wrong_type']],
    ['nothing', undefined, [' wrong_type']],
    ['an empty object', {}, ['/model missing', '/input missing']],
    ['an unknown model', body({}, {}, 'wan9'), ['/model unknown_model']],
    ['a model that is not offered', body({}, {}, 'wan3.0-video'), ['/model model_not_offered']],
    ['a model by number', { ...body(), model: 26 }, ['/model wrong_type']],
    ['no image', { model: 'wan2.6-i2v', input: { prompt: 'x' } }, ['/input/img_url missing']],
    ['input as a list', { model: 'wan2.6-i2v', input: [] }, ['/input wrong_type']],
    ['parameters as a text', { ...body(), parameters: '5' }, ['/parameters wrong_type']],
    ['metadata as a list', { ...body(), metadata: ['a'] }, ['/metadata wrong_type']],
    ['metadata over 2 KB', { ...body(), metadata: { a: 'ä'.repeat(1024) } }, ['/metadata metadata_too_large']],
    [
      'metadata with too many fields',
      { ...body(), metadata: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, ''])) },
      ['/metadata metadata_too_large'],
    ],
    ['a template that is a path', body({}, { template: '../x' }), ['/input/template invalid_value']],
  ])('refuses %s', (_, request, expected) => {
    expect(findings(request)).toEqual(expected);
  });

  test.each([0, 12345, 2147483647])('accepts the seed %i', (seed) => {
    expect(findings(body({ seed }))).toEqual([]);
  });

  test.each([-1, 2147483648, 1.5, Number.NaN, '5', 1e300])('refuses the seed %s', (seed) => {
    expect(findings(body({ seed }))[0]).toMatch(/^\/parameters\/seed (out_of_range|wrong_type)$/);
  });

  test('warns of a truncated prompt and refuses one over 20,000 characters, not bytes', () => {
    const limits = [
      ['wan2.6-i2v', 1500],
      ['wan2.2-i2v-plus', 800],
    ] as const;
    for (const [model, limit] of limits) {
      for (const letter of ['a', '猫', '🐈']) {
        expect(findings(body({}, { prompt: letter.repeat(limit) }, model))).toEqual([]);
        expect(findings(body({}, { prompt: letter.repeat(limit + 1) }, model))).toEqual([
          '/input/prompt ! prompt_truncated',
        ]);
        expect(findings(body({}, { prompt: letter.repeat(20_000) }, model))).toEqual([
          '/input/prompt ! prompt_truncated',
        ]);
        expect(findings(body({}, { prompt: letter.repeat(20_001) }, model))).toEqual(['/input/prompt prompt_too_long']);
      }
    }
    expect(findings(body({}, { negative_prompt: 'a'.repeat(501) }))).toEqual([
      '/input/negative_prompt ! negative_prompt_truncated',
    ]);
  });

  test('refuses a lone surrogate in every stored text', () => {
    expect(findings(body({}, { prompt: 'cat \ud83d' }))).toEqual(['/input/prompt broken_text']);
    expect(findings({ ...body(), metadata: { whole: 'cat 🐈', half: 'cat \ud83d' } })).toEqual([
      '/metadata/half broken_text',
    ]);
    expect(findings({ ...body(), metadata: { 'half\ud83d': 'cat' } })).toEqual(['/metadata/half\ufffd invalid_name']);
  });

  test('refuses in strict mode what Wan would ignore, and drops it with a warning in tolerant mode', () => {
    const cases = [
      [body({ shot_type: 'multi', prompt_extend: false }), '/parameters/shot_type shot_type_needs_prompt_extend'],
      [body({ audio: false }), '/parameters/audio audio_switch_not_supported'],
      [body({}, { template: 'flying', prompt: 'x' }), '/input/prompt prompt_replaced_by_template'],
    ] as const;
    for (const [request, finding] of cases) {
      expect(findings(request)).toEqual([finding]);
      expect(findings(request, tolerant)).toEqual([finding.replace(' ', ' ! ')]);
      const [, section = '', field = ''] = finding.split(' ')[0]!.split('/');
      const checked = checkRequest(request, tolerant);
      expect(checked.ok && Reflect.get(checked.request, section)).not.toHaveProperty(field);
    }
    const refused = checkRequest(cases[0][0], strict);
    expect(!refused.ok && refused.issues[0]?.message).toContain('Set prompt_extend to true');
  });

  test('refuses unsupported audio and shot types in both modes', () => {
    for (const options of [strict, tolerant]) {
      expect(findings(body({ shot_type: 'multi' }, {}, 'wan2.5-i2v-preview'), options)).toEqual([
        '/parameters/shot_type shot_type_not_supported',
      ]);
      expect(findings(body({}, { audio_url: 'https://a.example/a.mp3' }, 'wan2.2-i2v-plus'), options)).toEqual([
        '/input/audio_url media_not_supported',
      ]);
    }
  });

  test("accepts in tolerant mode what Wan's own clients send", () => {
    const base64 = png(360, 360).toString('base64');
    const request = {
      model: 'wan2.5-i2v-preview',
      input: { prompt: 'x', negative_prompt: '', img_url: base64, audio_url: '', extend_prompt: true, template: null },
      parameters: { duration: 10, seed: null, size: '1280*720' },
      task_group: 'aigc',
    };
    expect(checkRequest(request, tolerant)).toMatchObject({
      ok: true,
      request: {
        input: { prompt: 'x', media: firstFrame(`data:image/png;base64,${base64}`) },
        parameters: { duration: 10, resolution: '1080P' },
      },
      warnings: [
        { pointer: '/input/negative_prompt', code: 'empty_value' },
        { pointer: '/input/audio_url', code: 'empty_value' },
        { pointer: '/input/template', code: 'empty_value' },
        { pointer: '/parameters/seed', code: 'empty_value' },
        {
          pointer: '/parameters/size',
          code: 'unknown_field',
          message: '"parameters.size" is unknown and was ignored. Did you mean /parameters/resolution?',
        },
        { pointer: '/task_group', code: 'unknown_field' },
      ],
    });
    for (const parameters of [null, '', []])
      expect(findings({ ...request, parameters }, tolerant)).toEqual([
        '/input/negative_prompt ! empty_value',
        '/input/audio_url ! empty_value',
        '/input/template ! empty_value',
        '/task_group ! unknown_field',
      ]);
    expect(findings(body({ duration: 7 }), tolerant)).toEqual(['/parameters/duration unsupported_duration']);
  });

  test('does not warn about the fields that the Python SDK adds to every request, unless they are meant to do something', () => {
    const sent = (input: object) => findings(body({}, input, 'wan2.5-i2v-preview'), tolerant);
    expect(sent({ extend_prompt: true, function: 'video-synthesis' })).toEqual([]);
    expect(sent({ extend_prompt: false })).toEqual(['/input/extend_prompt ! unknown_field']);
    expect(findings(body({}, { extend_prompt: true }))).toEqual(['/input/extend_prompt unknown_field']);
  });

  describe('an empty value', () => {
    const optional = [
      ...Object.keys(inputFields)
        .filter((name) => name !== 'img_url')
        .map((name) => ['input', name] as const),
      ...Object.keys(parameterFields).map((name) => ['parameters', name] as const),
    ];
    const empties = [null, '', ' ', '\n\t', '\u3000', []];
    const withField = (section: string, name: string, value: unknown, model: string) =>
      body(section === 'parameters' ? { [name]: value } : {}, section === 'input' ? { [name]: value } : {}, model);

    test.each(optional)(
      'of %s.%s is a missing field where Wan is tolerated, with a warning that names it',
      (section, name) => {
        for (const { name: model } of models.filter(({ name }) => offered.includes(name)))
          for (const value of empties) {
            const checked = checkRequest(withField(section, name, value, model), tolerant);
            const without = checkRequest(body({}, {}, model), tolerant);
            expect(checked).toEqual({
              ...without,
              warnings: [
                { pointer: `/${section}/${name}`, code: 'empty_value', message: `"${name}" is empty and was ignored.` },
              ],
            });
          }
      },
    );

    test.each(optional)(
      'of %s.%s is a missing field in strict mode if the field is a text, otherwise an issue',
      (section, name) => {
        const isText = [
          'prompt',
          'negative_prompt',
          'last_frame_url',
          'audio_url',
          'template',
          'resolution',
          'shot_type',
          'ratio',
        ].includes(name);
        for (const value of ['', '  '])
          expect(findings(withField(section, name, value, 'wan2.6-i2v'))).toEqual([
            `/${section}/${name} ${isText ? '! empty_value' : 'wrong_type'}`,
          ]);
        expect(findings(withField(section, name, null, 'wan2.6-i2v'))).toEqual([
          expect.stringMatching(new RegExp(`^/${section}/${name} (wrong_type|invalid_value)$`)),
        ]);
      },
    );

    test('of a required field is a missing field where Wan is tolerated', () => {
      for (const value of empties) {
        expect(findings(body({}, { img_url: value }), tolerant)).toEqual(['/input/img_url missing']);
        expect(findings({ ...body(), model: value }, tolerant)).toEqual(['/model missing']);
      }
    });

    test('is in the contract where the field accepts few texts', () => {
      const accepts = (request: object) => videoRequestSchema('video').safeParse(request).success;
      for (const empty of [{ template: '' }, { audio_url: '' }, { prompt: '' }])
        expect(accepts(body({}, empty, 'wan2.6-i2v'))).toBe(true);
      for (const empty of [{ resolution: '' }, { shot_type: '' }])
        expect(accepts(body(empty, {}, 'wan2.6-i2v'))).toBe(true);
      expect(accepts(body({ seed: '' }))).toBe(false);
    });
  });

  test('ignores a neutral shot type of a model without shot types where Wan is tolerated', () => {
    for (const { name } of models.filter(({ name, shot_type }) => offered.includes(name) && !shot_type)) {
      const checked = checkRequest(body({ shot_type: 'single' }, {}, name), tolerant);
      expect(checked).toMatchObject({
        ok: true,
        warnings: [
          {
            pointer: '/parameters/shot_type',
            code: 'shot_type_not_supported',
            message: expect.stringMatching(/^Ignored\. .* does not accept shot_type\./),
          },
        ],
      });
      expect(checked.ok && checked.request.parameters).not.toHaveProperty('shot_type');
      expect(findings(body({ shot_type: 'single' }, {}, name))).toEqual([
        '/parameters/shot_type shot_type_not_supported',
      ]);
    }
  });

  test('limits an inline image to the given size and to the limit of Wan', () => {
    const inline = (length: number) =>
      body(
        {},
        {
          img_url: `data:image/png;base64,${Buffer.concat([png(360, 360), Buffer.alloc(length)], length).toString('base64')}`,
        },
      );
    expect(findings(inline(3000), { ...strict, maxInlineBytes: 3000 })).toEqual([]);
    expect(findings(inline(3001), { ...strict, maxInlineBytes: 3000 })).toEqual(['/input/img_url image_too_large']);
    expect(findings(inline(10 * 1024 * 1024))).toEqual([]);
    expect(findings(inline(10 * 1024 * 1024 + 1))).toEqual(['/input/img_url image_too_large']);
    expect(findings(inline(10 * 1024 * 1024 + 1), { ...strict, maxInlineBytes: 1e9 })).toEqual([
      '/input/img_url image_too_large',
    ]);
    expect(findings(body({}, { img_url: 'data:image/gif;base64,AAAA' }))).toEqual([
      '/input/img_url unsupported_image_type',
    ]);
  });

  test('accepts s3:// only for own files', () => {
    const withAudio = (audio_url: string) => body({}, { audio_url });
    const withImage = (img_url: string) => body({}, { img_url });
    const url = 's3://firstframe-uploads/uploads/alice/x/cat.png';
    expect(findings(withImage(url))).toEqual(['/input/img_url unsupported_url_scheme']);
    expect(findings(withAudio(url))).toEqual(['/input/audio_url unsupported_url_scheme']);
    const prefix = 's3://firstframe-uploads/uploads/alice/';
    const options: CheckOptions = { ...strict, ownsS3Url: (given) => isBelow(prefix, given) };
    expect(findings(withImage(url), options)).toEqual([]);
    expect(findings(withAudio(url), options)).toEqual([]);
    for (const other of [
      's3://firstframe-uploads/uploads/bob/cat.png',
      's3://firstframe-uploads/uploads/alice/../bob/cat.png',
      's3://firstframe-uploads/uploads/alice/x/..',
      's3://firstframe-uploads/uploads/alice/./cat.png',
      's3://other/uploads/alice/cat.png',
      `${prefix}${'x'.repeat(1024)}`,
      `${prefix}cat\ud83d.png`,
      `${prefix}cat\u0000.png`,
      `${prefix}cat\n.png`,
      `${prefix}cat\u007f.png`,
      'S3://firstframe-uploads/uploads/alice/cat.png',
    ]) {
      expect(findings(withImage(other), options)).toEqual(['/input/img_url upload_not_found']);
      expect(findings(withAudio(other), options)).toEqual(['/input/audio_url upload_not_found']);
    }
  });

  test('never repeats the input in a message', () => {
    const request = body(
      { resolution: 'secret' },
      { img_url: 'secret', prompt: 7, template: 'sec ret' },
      'secret-model',
    );
    expect(JSON.stringify(checkRequest(request, strict))).not.toMatch(/secret|sec ret/);
  });

  test('the schema of the contract accepts the same values as the validation, for each model', () => {
    const isValid = new Ajv({ strict: false, validateFormats: false }).compile(
      z.toJSONSchema(videoRequestSchema('video')),
    );
    const optional = <Value>(values: readonly Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const parameters = fc.record({
      resolution: optional(['480P', '720P', '1080P', '480p', '']),
      duration: optional([-1, 1, 3, 5, 10, 15, 16, 30, 31, 5.5]),
      ratio: optional(['adaptive', '16:9', '2:1']),
      prompt_extend: optional([true, false]),
      shot_type: optional(['single', 'multi', 'none']),
      audio: optional([true, false]),
      seed: optional([0, 2_147_483_647, -1]),
    });
    const input = fc.record({
      prompt: optional(['A cat', ' ']),
      template: optional(['flying', 'a b']),
      audio_url: optional(['https://example.com/a.mp3']),
      last_frame_url: optional(['https://example.com/end.png']),
      negative_prompt: optional(['rain']),
      img_url: optional(['https://example.com/cat.png']),
    });
    fc.assert(
      fc.property(fc.constantFrom(...modelNames), input, parameters, (model, ofInput, ofParameters) => {
        const request = JSON.parse(JSON.stringify({ model, input: ofInput, parameters: ofParameters })) as object;
        expect(isValid(request)).toBe(checkRequest(request, all).ok);
      }),
      { numRuns: 3000 },
    );
  });

  test('the schema of the contract is strict and lists the offered models', () => {
    const { anyOf: variants } = z.toJSONSchema(videoRequestSchema('video'));
    expect(variants!.map((variant) => (variant as { title: string }).title)).toEqual([...modelNames, 'Added model']);
    for (const variant of variants!) {
      expect(variant).toMatchObject({
        additionalProperties: false,
        required: ['model', 'input'],
        properties: {
          input: { properties: { prompt: { maxLength: 20_000 } } },
          parameters: { properties: { seed: { minimum: 0, maximum: 2147483647 } } },
        },
      });
    }
  });
});

describe('in a deployment where every video has a watermark', () => {
  const always = { ...strict.deployment, watermark: 'always' } as const;
  const watermarkOf = (parameters: object, options = strict) => {
    const checked = checkRequest(body(parameters), { ...options, deployment: always });
    return checked.ok ? checked.request.parameters.watermark : checked.issues.map(({ code }) => code);
  };

  test('a request has one unless it refuses it', () => {
    expect(watermarkOf({})).toBe(true);
    expect(watermarkOf({ watermark: true })).toBe(true);
    expect(watermarkOf({ watermark: false })).toEqual(['watermark_required']);
  });

  test('a DashScope client that sends false gets one, and a warning', () => {
    expect(watermarkOf({ watermark: false }, tolerant)).toBe(true);
    expect(findings(body({ watermark: false }), { ...tolerant, deployment: always })).toEqual([
      '/parameters/watermark ! watermark_required',
    ]);
  });
});
