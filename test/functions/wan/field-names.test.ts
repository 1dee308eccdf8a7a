import { describe, expect, test } from 'vitest';
import { meantField } from '../../../functions/wan/validation/field-names.ts';
import { checkRequest } from '../../../functions/wan/validation/request.ts';
import { inputFields, parameterFields } from '../../../functions/wan/validation/schema.ts';
import { aDeployment } from '../../support/videos.ts';

const request = { model: 'wan2.2-i2v-flash', input: { prompt: 'x', img_url: 'https://example.com/a.png' } };
const unknownFields = (body: object, mode: 'strict' | 'tolerant' = 'strict') => {
  const checked = checkRequest({ ...request, ...body }, { mode, trustedOrigins: [], deployment: aDeployment() });
  return (checked.ok ? checked.warnings : checked.issues).filter(({ code }) => code === 'unknown_field');
};

describe('an unknown field', () => {
  test.each([
    ['prompt', '/input/prompt'],
    ['image', '/input/img_url'],
    ['image_url', '/input/img_url'],
    ['imageUrl', '/input/img_url'],
    ['first_frame', '/input/img_url'],
    ['resolution', '/parameters/resolution'],
    ['seed', '/parameters/seed'],
    ['duration_seconds', '/parameters/duration'],
    ['negativePrompt', '/input/negative_prompt'],
    ['Model', '/model'],
    ['model_id', '/model'],
    ['parameter', '/parameters'],
    ['metdata', '/metadata'],
    ['promt', '/input/prompt'],
    ['callback', '/webhook_url'],
    ['webhookUrl', '/webhook_url'],
  ])('%s at the top is answered with the fields there and with %s', (name, meant) => {
    expect(unknownFields({ [name]: 'x' })).toEqual([
      {
        pointer: `/${name}`,
        code: 'unknown_field',
        message: `This field is unknown. Did you mean ${meant}? Fields here are model, input, parameters, metadata, webhook_url, webhook_events.`,
      },
    ]);
  });

  test.each(['n', 'x', '', '__proto__', 'constructor', 'zzzzzzzz'])('"%s" has no meaning to offer', (name) => {
    expect(meantField(name)).toBeUndefined();
  });

  test('of a section names the section of the known one', () => {
    expect(unknownFields({ input: { ...request.input, resolution: '480P' } })[0]!.message).toBe(
      `This field is unknown. Did you mean /parameters/resolution? Fields here are ${Object.keys(inputFields).join(', ')}.`,
    );
    expect(unknownFields({ parameters: { prompt: 'x' } })[0]!.message).toMatch(/Did you mean \/input\/prompt\?/);
  });

  test('of Wan’s protocol is ignored with the same question', () => {
    expect(unknownFields({ resolution: '480P' }, 'tolerant')).toEqual([
      {
        pointer: '/resolution',
        code: 'unknown_field',
        message: '"resolution" is unknown and was ignored. Did you mean /parameters/resolution?',
      },
    ]);
  });
});

test('every field is found by its own name in any case and separation', () => {
  for (const [section, fields] of Object.entries({ input: inputFields, parameters: parameterFields })) {
    for (const name of Object.keys(fields)) {
      const camel = name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
      for (const written of [name, name.toUpperCase(), name.replaceAll('_', '-'), camel])
        expect([written, meantField(written)]).toEqual([written, `/${section}/${name}`]);
    }
  }
});
