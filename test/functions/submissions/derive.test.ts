import { describe, expect, test } from 'vitest';
import { invalidRequest, ProblemError } from '../../../functions/shared/problem.ts';
import { explainDerived, extensionOf, possibleVariations, variationOf } from '../../../functions/submissions/derive.ts';
import { readDerivation, type Variation } from '../../../functions/submissions/derive-body.ts';
import type { ArchivedVideo, VideoRecord } from '../../../functions/video/record.ts';
import { checkRequest } from '../../../functions/wan/validation/request.ts';
import { aDeployment, aVideo, everyModel, firstFrame } from '../../support/videos.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const archived = (given: Partial<ArchivedVideo> = {}): ArchivedVideo => ({
  bucket: 'videos',
  key: 'source/1-1.mp4',
  version_id: 'v1',
  bytes: 1000,
  sha256: 'a'.repeat(64),
  content_type: 'video/mp4',
  duration_seconds: 5.04,
  width: 1280,
  height: 720,
  fps: 30,
  codecs: [],
  provenance: { c2pa: false, aigc_label: false, watermark: false },
  ...given,
});
const image = { bucket: 'uploads', key: 'inputs/source/1.png', version_id: 'v2', content_type: 'image/png', bytes: 9 };
const aSource = (given: Partial<VideoRecord> = {}): VideoRecord =>
  aVideo({
    status: 'succeeded',
    model: 'wan2.7-i2v',
    parameters: { resolution: '720P', duration: 5, prompt_extend: false, watermark: true, seed: 3 },
    video: archived(),
    metadata: { scene: '4' },
    ...given,
  });
const rules = { deployment: aDeployment(), now };
const wanted = { prompt: 'On', seconds_to_add: 3 };
const refusal = (act: () => unknown): ProblemError => {
  try {
    act();
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error('Nothing was refused.');
};

describe('an extension', () => {
  test('continues the archived version, in the resolution of its source, at its whole length', () => {
    const source = aSource();
    const { body, files, derived_from } = extensionOf(source, wanted, rules);
    expect(derived_from).toBe(source.id);
    expect(body).toEqual({
      model: 'wan2.7-i2v',
      input: { prompt: 'On', media: [{ type: 'first_clip', url: 's3://videos/source/1-1.mp4' }] },
      parameters: { resolution: '720P', watermark: true, prompt_extend: false, duration: 8 },
      metadata: { scene: '4' },
    });
    expect(files.get('s3://videos/source/1-1.mp4')).toMatchObject({ version_id: 'v1' });
  });

  test('may have another model and other parameters', () => {
    const source = aSource({ model: 'wan2.5-i2v-preview', parameters: { resolution: '480P', duration: 5 } });
    const { body } = extensionOf(source, { ...wanted, model: 'wan2.7-i2v', parameters: { seed: 1 } }, rules);
    // The model has no 480P, so its default applies.
    expect(body).toMatchObject({ model: 'wan2.7-i2v', parameters: { seed: 1, duration: 8 } });
    expect(body).not.toHaveProperty('parameters.resolution');
  });

  test.each([
    [1.9, 3, 'video_duration', ''],
    [2, 3, undefined, ''],
    [10.3, 5, undefined, ''],
    [10.4, 5, 'video_duration', ''],
    [10, 6, 'unsupported_duration', '/seconds_to_add'],
    [5, 10, undefined, ''],
    [5, 11, 'unsupported_duration', '/seconds_to_add'],
  ])('of %s s by %s s is checked (%s)', (duration_seconds, seconds_to_add, code, pointer) => {
    const source = aSource({ video: archived({ duration_seconds }) });
    const extend = () => extensionOf(source, { ...wanted, seconds_to_add }, rules);
    if (!code) return expect(extend().derived_from).toBe(source.id);
    expect(refusal(extend).members.errors).toMatchObject([{ code, pointer }]);
  });

  test('and a variation have a webhook of their own only, not that of their source', () => {
    const hooked = aSource({ webhook: { url: 'https://one.example/', events: 'all' } });
    const own = { webhook_url: 'https://two.example/', webhook_events: 'endings' } as const;
    for (const given of [{}, own]) {
      const wanted = { prompt: 'x', seconds_to_add: 2, ...given };
      for (const { body } of [extensionOf(hooked, wanted, rules), variationOf(hooked, given)]) {
        const { webhook_url, webhook_events } = body as Record<string, unknown>;
        expect({ webhook_url, webhook_events }).toEqual({
          webhook_url: undefined,
          webhook_events: undefined,
          ...given,
        });
      }
    }
  });

  test('by a model without first_clip names the models that have it, and the possible variations', () => {
    for (const model of ['wan2.6-i2v', 'wan3.0-video']) {
      const { errors } = refusal(() =>
        extensionOf(aSource(), { ...wanted, model }, { ...rules, deployment: everyModel }),
      ).members;
      expect(errors).toMatchObject([{ pointer: '/model', code: 'cannot_continue' }]);
      expect(errors![0]!.message).toContain('Give wan2.7-i2v or wan2.7-i2v-2026-04-25 as "model".');
      expect(errors![0]!.message).toContain('POST /videos/{id}/variations, with the model wan2.6-i2v or');
    }
  });

  test.each([
    ['failed', {}, 409, 'source_has_no_video'],
    ['canceled', {}, 409, 'source_has_no_video'],
    ['running', {}, 409, 'source_has_no_video'],
    ['succeeded', { expires_at: '2026-01-31T12:00:00.000Z' }, 410, 'source_gone'],
  ] as const)('of a source that is %s %j is a %i', (status, given, problem, code) => {
    const source = aSource({ status, ...given });
    expect(refusal(() => extensionOf(source, wanted, rules))).toMatchObject({ status: problem, members: { code } });
  });
});

describe('a variation', () => {
  const source = (given: Partial<VideoRecord> = {}) =>
    aSource({
      model: 'wan2.6-i2v',
      input: {
        prompt: 'A cat',
        negative_prompt: 'blurred',
        media: firstFrame(`s3://${image.bucket}/${image.key}`, image),
      },
      parameters: {
        resolution: '720P',
        duration: 5,
        prompt_extend: true,
        watermark: false,
        shot_type: 'multi',
        seed: 2_147_483_646,
      },
      ...given,
    });
  const check = (body: unknown) =>
    checkRequest(body, { mode: 'strict', trustedOrigins: [], ownsS3Url: () => true, deployment: everyModel });

  test('is the same request where nothing else is given', () => {
    const { body, files, warnings } = variationOf(source(), {});
    expect(body).toEqual({
      model: 'wan2.6-i2v',
      input: {
        prompt: 'A cat',
        negative_prompt: 'blurred',
        media: [{ type: 'first_frame', url: `s3://${image.bucket}/${image.key}` }],
      },
      parameters: source().parameters,
      metadata: { scene: '4' },
    });
    expect([...files.values()]).toEqual([image]);
    expect(warnings).toEqual([]);
  });

  test('counts a seed up, past the largest one to 0', () => {
    const seeds = [0, 1, 2].map((index) => variationOf(source(), {}, index).body);
    expect(seeds).toMatchObject([
      { parameters: { seed: 2_147_483_646 } },
      { parameters: { seed: 2_147_483_647 } },
      { parameters: { seed: 0 } },
    ]);
    const unseeded = source({ parameters: { resolution: '720P', duration: 5 } });
    expect(variationOf(unseeded, {}, 2).body).not.toHaveProperty('parameters.seed');
  });

  test.each([
    ['wan2.2-i2v-flash', {}, ['/parameters/shot_type']],
    ['wan3.0-video', {}, ['/parameters/shot_type', '/input/negative_prompt']],
    ['wan2.6-i2v-flash', {}, []],
    ['wan2.6-i2v', { prompt_extend: false }, ['/parameters/shot_type']],
  ])('of %s %j leaves out what it does not take, with a warning', (model, parameters, expected) => {
    const { body, warnings } = variationOf(source(), { model, parameters });
    expect(warnings.map(({ pointer }) => pointer)).toEqual(expected);
    expect(check(body)).toMatchObject({ ok: true });
  });

  test('replaces a video effect by a prompt', () => {
    const effect = source({
      model: 'wan2.5-i2v-preview',
      input: { template: 'flying', media: firstFrame('https://e.com/a.png') },
    });
    expect(variationOf(effect, {}).body).toMatchObject({ input: { template: 'flying' } });
    expect(variationOf(effect, { prompt: 'A cat' }).body).toMatchObject({ input: { prompt: 'A cat' } });
    expect(variationOf(effect, { prompt: 'A cat' }).body).not.toHaveProperty('input.template');
  });

  test('of a drop whose settings were refused is a 409', () => {
    const refused = source({ input: { media: firstFrame('s3://uploads/drop/cat.png') }, parameters: {} });
    expect(refusal(() => variationOf(refused, {}))).toMatchObject({
      status: 409,
      members: { code: 'source_incomplete' },
    });
  });
});

describe('an error about a derived request', () => {
  const located = (pointers: string[], wanted: Variation) =>
    (
      explainDerived(
        invalidRequest(pointers.map((pointer) => ({ pointer, code: 'c', message: 'M.' }))),
        wanted,
        'N.',
      ) as ProblemError
    ).members.errors!.map(({ pointer, message }) => `${pointer} ${message}`);

  test('names the place in the body that was sent', () => {
    const pointers = ['/parameters/resolution', '/parameters/seed', '/input/prompt', '/input/media/0/url', '/model'];
    expect(located(pointers, { resolution: '480P' })).toEqual([
      '/resolution M.',
      '/parameters/seed M.',
      '/prompt M.',
      '/model M. N.',
      '/model M.',
    ]);
  });

  test('is a 410 for a file that is gone, and unchanged if it is something else', () => {
    const gone = invalidRequest([{ pointer: '/input/media/0/url', code: 'upload_not_found', message: '' }]);
    expect(explainDerived(gone, {}, '')).toMatchObject({ status: 410, members: { code: 'source_gone' } });
    const other = new Error('S3 is down');
    expect(explainDerived(other, {}, '')).toBe(other);
  });
});

test('no variation is offered for inputs that no model takes', () => {
  const media = (['last_frame', 'reference_image'] as const).map((type) => ({ type, url: 'https://e.com/a.png' }));
  expect(possibleVariations({ media }, aDeployment())).toMatch(/no variation is possible/);
});

test.each([
  ['extension', { prompt: 'x', seconds_to_add: 1.5 }, '/seconds_to_add'],
  ['extension', { prompt: 'x', seconds_to_add: 61 }, '/seconds_to_add'],
  ['extension', { prompt: 'x', seconds_to_add: 1, parameters: [] }, '/parameters'],
  ['extension', { prompt: 'x', seconds_to_add: 1, dry_run: 'yes' }, '/dry_run'],
  ['variation', { n: 0 }, '/n'],
  ['variation', { n: '2' }, '/n'],
  ['variation', { model: 3 }, '/model'],
  ['variation', { resolution: '720P', parameters: { resolution: '720P' } }, '/parameters/resolution'],
] as const)('the body of a %s %j is refused at %s', (kind, body, pointer) => {
  const { errors } = refusal(() => readDerivation(body, kind as 'variation')).members;
  expect(errors!.map((issue) => issue.pointer)).toEqual([pointer]);
});
