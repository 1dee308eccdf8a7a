import { describe, expect, test } from 'vitest';
import { mergeSettings, settingsOfDeployment } from '../../../functions/drops/settings.ts';
import type { SettingsBody } from '../../../functions/drops/settings-file.ts';
import { settingsOfMetadata } from '../../../functions/drops/settings-metadata.ts';

const deployment = settingsOfDeployment({
  owner: 'drops',
  model: 'wan2.2-i2v-flash',
  prompt: 'It comes to life.',
  parameters: { resolution: '480P' },
});
const img_url = 's3://uploads/drop/cat.png';
const merge = (levels: { sidecar?: SettingsBody; metadata?: SettingsBody; defaults?: SettingsBody } = {}) =>
  mergeSettings(img_url, { ...levels, deployment });
const withMetadata = (metadata: Record<string, string>) =>
  merge({ metadata: settingsOfMetadata(metadata).body }).request;

test('without other settings, those of the deployment apply', () => {
  expect(merge()).toEqual({
    request: {
      model: 'wan2.2-i2v-flash',
      input: { prompt: 'It comes to life.', img_url },
      parameters: { resolution: '480P' },
      metadata: {},
    },
    take: 1,
    settings: { '/model': 'deployment', '/input/prompt': 'deployment', '/parameters/resolution': 'deployment' },
  });
});

test('the strongest level that names a value decides it, field by field, and is named for each', () => {
  const merged = merge({
    sidecar: { input: { prompt: 'from the sidecar' }, metadata: { project: 'spring' } },
    metadata: { input: { prompt: 'lost', negative_prompt: 'from metadata' }, parameters: { seed: 7 } },
    defaults: {
      model: 'wan2.2-i2v-flash',
      input: { prompt: 'lost', negative_prompt: 'lost' },
      parameters: { seed: 1, resolution: '720P', watermark: true },
      metadata: { project: 'lost', 'a/b': 'team' },
    },
  });
  expect(merged).toEqual({
    request: {
      model: 'wan2.2-i2v-flash',
      input: { prompt: 'from the sidecar', negative_prompt: 'from metadata', img_url },
      parameters: { seed: 7, resolution: '720P', watermark: true },
      metadata: { project: 'spring', 'a/b': 'team' },
    },
    take: 1,
    settings: {
      '/model': 'defaults',
      '/input/prompt': 'sidecar',
      '/input/negative_prompt': 'metadata',
      '/parameters/seed': 'metadata',
      '/parameters/resolution': 'defaults',
      '/parameters/watermark': 'defaults',
      '/metadata/project': 'sidecar',
      '/metadata/a~1b': 'defaults',
    },
  });
});

test('the deployment’s parameters apply to its own model only, at whichever level the model is set', () => {
  expect(merge({ defaults: { model: 'wan2.1-i2v-plus' } }).request.parameters).toEqual({});
  expect(merge({ defaults: { model: 'wan2.1-i2v-plus' } }).settings).not.toHaveProperty('/parameters/resolution');
  expect(merge({ sidecar: { model: 'wan2.2-i2v-flash' } }).request.parameters).toEqual({ resolution: '480P' });
  expect(merge({ defaults: { model: 'wan2.1-i2v-plus', parameters: { seed: 1 } } }).request.parameters).toEqual({
    seed: 1,
  });
});

describe('prompt and effect are decided together', () => {
  test('an effect is not combined with a weaker prompt, which would be refused', () => {
    const merged = merge({ sidecar: { input: { template: 'flying' } }, defaults: { input: { prompt: 'p' } } });
    expect(merged.request.input).toEqual({ template: 'flying', img_url });
    expect(merged.settings).not.toHaveProperty('/input/prompt');
  });

  test('a prompt replaces a weaker effect', () => {
    const merged = merge({ metadata: { input: { prompt: 'p' } }, defaults: { input: { template: 'flying' } } });
    expect(merged.request.input).toEqual({ prompt: 'p', img_url });
  });

  test('both of one level are kept, for the check to refuse', () => {
    expect(merge({ sidecar: { input: { template: 'flying', prompt: 'p' } } }).request.input).toEqual({
      template: 'flying',
      prompt: 'p',
      img_url,
    });
  });
});

describe("an object's metadata", () => {
  test('has every field, each in the type that the API takes', () => {
    const metadata = {
      model: 'wan2.6-i2v',
      prompt: 'p',
      'negative-prompt': 'n',
      'audio-url': 'https://example.com/a.mp3',
      resolution: '720P',
      duration: '10',
      'prompt-extend': 'false',
      'shot-type': 'multi',
      watermark: 'true',
      seed: '0',
      audio: 'true',
    };
    expect(withMetadata(metadata)).toEqual({
      model: 'wan2.6-i2v',
      input: { prompt: 'p', negative_prompt: 'n', audio_url: 'https://example.com/a.mp3', img_url },
      parameters: {
        resolution: '720P',
        duration: 10,
        prompt_extend: false,
        shot_type: 'multi',
        watermark: true,
        seed: 0,
        audio: true,
      },
      metadata: {},
    });
    expect(withMetadata({ template: 'flying' }).input).toEqual({ template: 'flying', img_url });
  });

  test('can be named with underscores or capitals', () => {
    const { input, parameters } = withMetadata({ negative_prompt: 'n', 'Prompt-Extend': 'true' });
    expect({ input, parameters }).toMatchObject({
      input: { negative_prompt: 'n' },
      parameters: { prompt_extend: true },
    });
  });

  test.each([
    ['duration', 'five'],
    ['duration', '5.0'],
    ['duration', ''],
    ['seed', '-1'],
    ['watermark', 'yes'],
    ['watermark', 'TRUE'],
  ])('that is not of its type is kept, so that the check names it: %s=%s', (name, value) => {
    expect(withMetadata({ [name]: value }).parameters).toMatchObject({ [name]: value });
  });

  test.each(['img-url', 'img_url', 'owner', '__proto__', 'constructor', 'toString', 'mtime'])(
    'of the name %s is ignored',
    (name) => {
      const metadata = JSON.parse(`{${JSON.stringify(name)}: "x"}`) as Record<string, string>;
      expect(withMetadata(metadata)).toEqual(withMetadata({}));
    },
  );
});
