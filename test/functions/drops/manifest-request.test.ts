import { expect, test } from 'vitest';
import { requestOfLine } from '../../../functions/drops/manifest-text.ts';
import { body, useManifests } from './manifests.ts';

const world = useManifests();
const { take, mine, resultOf } = world;

test('the values of a line are named by their pointers, without its image', () => {
  const line = {
    model: 'wan2.2-i2v-flash',
    input: { prompt: 'p', img_url: 'a.png' },
    parameters: { resolution: '480P', seed: 1 },
    metadata: { 'a/b': 'x' },
    take: 2,
  };
  const { take: _, ...request } = line;
  expect(requestOfLine(line)).toEqual({
    body: request,
    settings: Object.fromEntries(
      ['/model', '/take', '/input/prompt', '/parameters/resolution', '/parameters/seed', '/metadata/a~1b'].map((at) => [
        at,
        'line',
      ]),
    ),
  });
  for (const other of [null, 7, [], { input: null }])
    expect(requestOfLine(other)).toEqual({ body: other, settings: {} });
});

test('a take makes another video of the same line', async () => {
  await take(body());
  await take(body(), { ...body(), take: 2 }, { ...body(), take: 2 });
  expect(await mine()).toHaveLength(3);
  await take({ ...body(), take: 2 }, body());
  expect(await mine()).toHaveLength(3);
});

test.each([0, -1, 1.5, '2', null])('a take of %j is refused', async (value) => {
  const object = await take({ ...body(), take: value });
  expect(await resultOf(object, 1)).toMatchObject({
    status: 'refused',
    error: { code: 'wrong_type', message: expect.stringMatching(/^\/take: /) },
  });
});

test('a line without a model is refused with the reason that no defaults apply to it', async () => {
  const { model: _, ...withoutModel } = body();
  const object = await take(withoutModel, body(undefined, { model: 'wan9' }));
  expect((await resultOf(object, 1))!.error).toMatchObject({
    code: 'missing',
    message: expect.stringMatching(/\/model: .* _defaults\.json and the setting drop do not apply to it\.$/),
  });
  expect((await resultOf(object, 2))!.error!.message).not.toContain('_defaults');
});
