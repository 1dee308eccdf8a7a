import { describe, expect, test } from 'vitest';
import { requestOf } from '../../../functions/drops/settings.ts';

const defaults = {
  owner: 'drops',
  model: 'wan2.2-i2v-flash',
  prompt: 'It comes to life.',
  parameters: { resolution: '480P' },
};
const img_url = 's3://uploads/drop/cat.png';
const request = (metadata: Record<string, string>) => requestOf(img_url, metadata, defaults);

test('without metadata it is what the deployment says', () => {
  expect(request({})).toEqual({
    model: 'wan2.2-i2v-flash',
    input: { prompt: 'It comes to life.', img_url },
    parameters: { resolution: '480P' },
  });
});

test('metadata goes before the defaults, field by field', () => {
  expect(request({ prompt: 'A cat runs', seed: '7' })).toEqual({
    model: 'wan2.2-i2v-flash',
    input: { prompt: 'A cat runs', img_url },
    parameters: { resolution: '480P', seed: 7 },
  });
});

test('every field is known, and each has the type that the API takes', () => {
  const metadata = {
    model: 'wan2.6-i2v',
    prompt: 'p',
    'negative-prompt': 'n',
    'audio-url': 'https://example.com/a.mp3',
    template: 'flying',
    resolution: '720P',
    duration: '10',
    'prompt-extend': 'false',
    'shot-type': 'multi',
    watermark: 'true',
    seed: '0',
    audio: 'true',
  };
  expect(request(metadata)).toEqual({
    model: 'wan2.6-i2v',
    input: { prompt: 'p', negative_prompt: 'n', audio_url: 'https://example.com/a.mp3', template: 'flying', img_url },
    parameters: {
      resolution: '720P',
      duration: 10,
      prompt_extend: false,
      shot_type: 'multi',
      watermark: true,
      seed: 0,
      audio: true,
    },
  });
});

test('defaults of one model are not given to another', () => {
  expect(request({ model: 'wan2.1-i2v-plus' }).parameters).toEqual({});
});

test('a video effect gets no default prompt beside it, which would be refused', () => {
  expect(request({ template: 'flying' }).input).toEqual({ template: 'flying', img_url });
});

test("a field's name may have underscores, or capitals", () => {
  const { input, parameters } = request({ negative_prompt: 'n', 'Prompt-Extend': 'true' });
  expect({ input, parameters }).toMatchObject({ input: { negative_prompt: 'n' }, parameters: { prompt_extend: true } });
});

describe('what is no value of its type is kept, so that the check names it', () => {
  test.each([
    ['duration', 'five'],
    ['duration', '5.0'],
    ['duration', ''],
    ['seed', '-1'],
    ['watermark', 'yes'],
    ['watermark', 'TRUE'],
  ])('%s=%s', (name, value) => {
    expect(request({ [name]: value }).parameters).toMatchObject({ [name]: value });
  });
});

test.each(['img-url', 'img_url', 'owner', '__proto__', 'constructor', 'toString', 'mtime', 'webhook-url'])(
  'metadata named %s is passed over',
  (name) => {
    const metadata = JSON.parse(`{${JSON.stringify(name)}: "x"}`) as Record<string, string>;
    expect(request(metadata)).toEqual(request({}));
  },
);
