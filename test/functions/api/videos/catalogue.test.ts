import { describe, expect, test } from 'vitest';
import { problemResponse } from '../../../../functions/api/http/handler.ts';
import { type EstimateServices, estimate } from '../../../../functions/api/videos/estimates.ts';
import { type CatalogueServices, listModels } from '../../../../functions/api/videos/models.ts';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import { findModel } from '../../../../functions/wan/catalogue.ts';
import { offeredModels } from '../../../../functions/wan/prices.ts';
import { startTable } from '../../../support/table.ts';
import { aDeployment } from '../../../support/videos.ts';
import { png } from '../../media/support.ts';
import { type ApiResponse, anApi, aRequest, body, dataUrl, responseOf } from '../support.ts';

const services: EstimateServices & CatalogueServices = {
  trustedOrigins: [],
  uploadsBucket: 'uploads',
  deployment: aDeployment(),
  typicalSeconds: undefined,
  readSlowdown: async () => 1,
};

const requestEstimate = async (sent: unknown, over = services): Promise<ApiResponse> => {
  try {
    return responseOf(
      await estimate(over, aRequest({ body: sent, resource: '/estimates' }), { owner: 'alice', key_id: 'k' }),
    );
  } catch (error) {
    if (error instanceof ProblemError) return responseOf(problemResponse(error, 'request-1'));
    throw error;
  }
};

describe('POST /estimates', () => {
  test('returns the request with defaults, its cost and its duration', async () => {
    expect(await requestEstimate(body({ parameters: { resolution: '480P' } }))).toMatchObject({
      status: 200,
      body: {
        model: 'wan2.2-i2v-plus',
        parameters: { resolution: '480P', duration: 5, prompt_extend: true, watermark: false },
        estimated_cost: { amount: 0.1, currency: 'USD', unit_price: 0.02, seconds: 5, as_of: '2025-12-29' },
        estimated_seconds: 100,
        warnings: [],
      },
    });
    const { body: beijing } = await requestEstimate(body(), { ...services, deployment: aDeployment('beijing') });
    expect(beijing.estimated_cost).toMatchObject({ amount: 3.5, currency: 'CNY' });
  });

  test.each([
    ['an image and a prompt', {}],
    ['an image', { prompt: 'A cat runs' }],
    ['a prompt', { img_url: 'https://example.com/a.png' }],
    ['a prompt, with a template', { template: 'flying' }],
  ])('prices a request without %s', async (_, input) => {
    const parameters = { resolution: '1080P', duration: 5 };
    const { status, body: priced } = await requestEstimate(body({ input, parameters }));
    expect(status).toBe(200);
    const whole = await requestEstimate(body({ parameters }));
    expect(priced).toEqual(whole.body);
    const { input: _none, ...without } = body({ parameters });
    expect((await requestEstimate(without)).body).toEqual(whole.body);
  });

  test('warns of a truncated prompt', async () => {
    const { body: estimated } = await requestEstimate(
      body({ input: { prompt: 'A cat. '.repeat(200), img_url: 'https://example.com/a.png' } }),
    );
    expect(estimated.warnings).toMatchObject([{ pointer: '/input/prompt', code: 'prompt_truncated' }]);
  });

  test("accepts any URL below the caller's uploads without inspecting the file", async () => {
    const uploaded = (owner: string) => body({ input: { img_url: `s3://uploads/uploads/${owner}/x/image.png` } });
    expect((await requestEstimate(uploaded('alice'))).status).toBe(200);
    expect(await requestEstimate(uploaded('bob'))).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'upload_not_found' }] },
    });
  });

  describe('refuses a body like POST /videos', () => {
    const store = startTable();

    test.each<[string, unknown]>([
      ['nothing', ''],
      ['broken JSON', '{"model": '],
      ['deep JSON', '['.repeat(100)],
      ['a list', []],
      [
        'many issues',
        {
          model: 'wan9',
          input: { img_url: 7, prompt: null },
          parameters: { duration: '5' },
          webhook_url: 'https://e.example',
        },
      ],
      ['an input that is not an object', body({ input: [] })],
      ['a webhook without https', body({ webhook_url: 'http://example.com/hook' })],
      ['a private address', body({ input: { img_url: 'http://10.0.0.1/' } })],
      ['an inline image that is too small', body({ input: { img_url: dataUrl(png(10, 10)) } })],
      ['an inline file that is not an image', body({ input: { img_url: dataUrl(Buffer.from('text')) } })],
      ['an inline image that is too large', body({ input: { img_url: dataUrl(Buffer.alloc(4 * 1024 * 1024 + 1)) } })],
      ["another's upload", body({ input: { img_url: 's3://uploads/uploads/bob/x' } })],
      [
        'audio for a model without audio',
        body({ input: { img_url: 'https://example.com/a.png', audio_url: 'https://example.com/a.mp3' } }),
      ],
    ])('%s', async (_, sent) => {
      const [estimated, submitted] = await Promise.all([
        requestEstimate(sent),
        anApi(store.table).submit({ body: sent }),
      ]);
      expect(submitted.status).toBeGreaterThanOrEqual(400);
      expect(estimated).toEqual(submitted);
    });
  });
});

test('returns the configured task duration from both routes', async () => {
  const own = { ...services, typicalSeconds: 42 };
  expect((await requestEstimate(body(), own)).body.estimated_seconds).toBe(42);
  const { data } = responseOf(await listModels(own, aRequest({ resource: '/models' }))).body;
  expect(new Set(data.map(({ typical_seconds }: { typical_seconds: number }) => typical_seconds))).toEqual(
    new Set([42]),
  );
});

describe('GET /models', () => {
  const models = async () => responseOf(await listModels(services, aRequest({ resource: '/models' })));

  test('lists every offered model and no other', async () => {
    expect((await models()).body.data.map(({ name }: { name: string }) => name)).toEqual(
      offeredModels(services.deployment).map(({ name }) => name),
    );
  });

  test('returns limits and prices of each model', async () => {
    expect((await models()).body.data.find(({ name }: { name: string }) => name === 'wan2.6-i2v')).toEqual({
      name: 'wan2.6-i2v',
      resolutions: ['720P', '1080P'],
      default_resolution: '1080P',
      durations: [5, 10, 15],
      default_duration: 5,
      automatic_duration: false,
      prompt_limit: 1500,
      negative_prompt_limit: 500,
      audio: true,
      audio_switch: false,
      shot_type: true,
      prompt_extend: true,
      template: true,
      ratio: false,
      media: { combinations: [{ required: ['first_frame'], optional: ['driving_audio'] }], counts: {} },
      audio_input: { min_seconds: 3, max_seconds: 30, max_bytes: 15 * 1024 * 1024 },
      image: { min_side: 360, max_side: 2000, max_bytes: 10 * 1024 * 1024 },
      prices: { '720P': 0.1, '1080P': 0.15 },
      currency: 'USD',
      prices_as_of: '2025-12-29',
      typical_seconds: 100,
    });
    const { body: beijing } = responseOf(
      await listModels({ ...services, deployment: aDeployment('beijing') }, aRequest({ resource: '/models' })),
    );
    expect(beijing.data[0]).toMatchObject({ currency: 'CNY', prices: { '720P': 0.6 } });
  });

  test('agrees with POST /estimates', async () => {
    for (const model of (await models()).body.data) {
      for (const resolution of model.resolutions) {
        for (const duration of model.durations) {
          const { status, body: estimated } = await requestEstimate({
            model: model.name,
            input: { img_url: 'https://example.com/a.png' },
            parameters: { resolution, duration },
          });
          expect(status).toBe(200);
          expect(estimated.estimated_cost?.unit_price).toBe(model.prices[resolution]);
        }
      }
      expect(model.default_duration).toBe(findModel(model.name)?.durations.default);
    }
  });

  test('answers a known ETag with 304', async () => {
    const { etag } = (await models()).headers;
    const request = aRequest({ resource: '/models', headers: { 'If-None-Match': etag! } });
    expect(await listModels(services, request)).toMatchObject({ statusCode: 304, body: '' });
  });

  test('shows by which factor submissions of a model are slowed down, and when it is retired', async () => {
    const changes = { 'wan2.6-i2v': { retires_at: '2027-01-31', replaced_by: 'wan2.7-i2v' } };
    const readSlowdown = async (model: string) => (model === 'wan2.6-i2v' ? 2.251 : 1);
    const own = { ...services, deployment: { ...services.deployment, changes, now: 0 }, readSlowdown };
    const { data } = responseOf(await listModels(own, aRequest({ resource: '/models' }))).body;
    expect(data[0]).toMatchObject({ submit_slowdown: 2.25, ...changes['wan2.6-i2v'] });
    expect(data[1]).not.toHaveProperty('submit_slowdown');
  });
});
