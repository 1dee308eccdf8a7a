import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { modelSchemaOf } from '../../../../functions/api/videos/model-schema.ts';
import { getModelSchema } from '../../../../functions/api/videos/models.ts';
import { ProblemError } from '../../../../functions/shared/problem.ts';
import { models } from '../../../../functions/wan/catalogue.ts';
import { rowOf } from '../../../../functions/wan/changes.ts';
import { checkRequest } from '../../../../functions/wan/validation/request.ts';
import { createBodyGenerator } from '../../../contract/generated-bodies.ts';
import { everyModel } from '../../../support/videos.ts';
import { aRequest, responseOf } from '../support.ts';

const ajv = new Ajv2020({ strict: false });
const accepts = Object.fromEntries(
  models.map(({ name }) => [name, ajv.compile(modelSchemaOf(rowOf(name)!, everyModel))]),
);
const isAccepted = (body: { model: string }) =>
  checkRequest(body, { mode: 'strict', trustedOrigins: [], deployment: everyModel }).ok;

/** Some generated bodies are not JSON. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const url = 'https://example.com/a';
const medium = (type: string) => ({ type, url });

describe('the JSON Schema of requests for a model', () => {
  test('accepts every request that is accepted', () => {
    const next = createBodyGenerator(7);
    let accepted = 0;
    for (let count = 0; count < 1500; count++) {
      const body = parse(next());
      // An empty text counts as a missing field, which a schema cannot express.
      if (/:"(\\[nrt]|\s)*"/.test(JSON.stringify(body) ?? '')) continue;
      if (typeof body?.model !== 'string' || !accepts[body.model] || !isAccepted(body)) continue;
      accepted++;
      expect([accepts[body.model]!(body), body.model, accepts[body.model]!.errors]).toEqual([true, body.model, null]);
    }
    expect(accepted).toBeGreaterThan(100);
  });

  test.each<[string, object, object, boolean]>([
    ['wan2.6-i2v', { img_url: url }, { duration: 10, resolution: '720P', shot_type: 'multi' }, true],
    ['wan2.6-i2v', { media: [medium('first_frame'), medium('driving_audio')] }, {}, true],
    ['wan2.6-i2v', { prompt: 'a' }, {}, false],
    ['wan2.6-i2v', { img_url: url }, { duration: 7 }, false],
    ['wan2.6-i2v', { img_url: url }, { resolution: '480P' }, false],
    ['wan2.6-i2v', { img_url: url }, { ratio: '16:9' }, false],
    ['wan2.6-i2v', { img_url: url, last_frame_url: url }, {}, false],
    ['wan2.6-i2v', { img_url: url }, { fps: 30 }, false],
    ['wan2.2-i2v-flash', { img_url: url, audio_url: url }, {}, false],
    ['wan2.7-i2v', { media: [medium('first_clip'), medium('last_frame')] }, { duration: 15 }, true],
    ['wan2.7-i2v', { media: [medium('first_clip')], img_url: url }, {}, false],
    ['wan2.7-i2v', { img_url: url, template: 'flying' }, {}, false],
    ['wan3.0-video', { prompt: 'a' }, { duration: -1, ratio: '1:1', audio: false }, true],
    ['wan3.0-video', { media: [medium('reference_image')] }, {}, true],
    ['wan3.0-video', { negative_prompt: 'a', prompt: 'a' }, {}, false],
    ['wan3.0-video', {}, {}, false],
    ['wan3.0-video', { img_url: url, media: [medium('reference_image')] }, {}, false],
  ])('of %s judges %j with %j as the API does', (model, input, parameters, expected) => {
    const body = { model, input, parameters };
    expect([accepts[model]!(body), isAccepted(body)]).toEqual([expected, expected]);
  });

  test('requires the watermark in a deployment where every video has one', () => {
    const validate = ajv.compile(modelSchemaOf(rowOf('wan2.6-i2v')!, { watermark: 'always' }));
    const body = (watermark: boolean) => ({ model: 'wan2.6-i2v', input: { img_url: url }, parameters: { watermark } });
    expect([validate(body(true)), validate(body(false))]).toEqual([true, false]);
  });
});

describe('GET /models/{name}/schema', () => {
  const changes = { 'wan9.9-i2v': { family: 'wan2.6-i2v' as const, prices: usd() } };
  const services = {
    deployment: { ...everyModel, changes },
    typicalSeconds: undefined,
    readSlowdown: async () => 1,
  };
  const get = (name: string) =>
    getModelSchema(services, { ...aRequest({ resource: '/models/{name}/schema' }), pathParameters: { name } });

  test('returns the schema of an added model, with the rules of its family', () => {
    const { status, body, headers } = responseOf(get('wan9.9-i2v'));
    expect([status, headers.etag !== undefined]).toEqual([200, true]);
    const { model } = body.properties;
    expect(model).toMatchObject({ const: 'wan9.9-i2v' });
    expect({ ...body.properties, model }).toEqual({ ...modelSchemaOf(rowOf('wan2.6-i2v')!, {}).properties!, model });
  });

  test('is a 404 that lists the offered models for any other name', () => {
    expect(() => get('wan8')).toThrow(ProblemError);
    expect(() => get('wan8')).toThrow(/does not offer/);
  });
});

function usd() {
  return { currency: 'USD', as_of: '2026-12-01', per_second: { '720P': 0.2, '1080P': 0.3 } } as const;
}
