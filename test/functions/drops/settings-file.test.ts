import { describe, expect, test } from 'vitest';
import { readSettingsFile } from '../../../functions/drops/settings-file.ts';
import { MAX_SETTINGS_BYTES } from '../../../functions/drops/settings-purpose.ts';

const read = (content: unknown, kind: 'sidecar' | 'defaults' = 'sidecar') =>
  readSettingsFile(Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)), kind);
const whole = {
  model: 'wan2.2-i2v-plus',
  input: { prompt: '猫が走る', negative_prompt: 'blur' },
  parameters: { resolution: '480P', seed: 7 },
  metadata: { project: 'spring' },
};

test('a sidecar is the body of POST /videos without img_url', () => {
  expect(read(whole)).toEqual({ ok: true, body: whole, sidecarRequired: false });
});

test('may leave out all of it, begin with a byte order mark, and have an empty prompt', () => {
  expect(read({})).toEqual({ ok: true, body: { input: {}, parameters: {}, metadata: {} }, sidecarRequired: false });
  expect(read(`\ufeff${JSON.stringify(whole)}`)).toMatchObject({ ok: true, body: whole });
  expect(read({ input: { prompt: '' } })).toMatchObject({ ok: true, body: { input: { prompt: '' } } });
});

test('defaults may require sidecars', () => {
  expect(read({ ...whole, sidecar: 'required' }, 'defaults')).toEqual({ ok: true, body: whole, sidecarRequired: true });
});

describe('all issues are named by their pointers, together', () => {
  const long = { input: { prompt: 'x'.repeat(MAX_SETTINGS_BYTES) } };
  test.each<[string, unknown, [string, string][], ('sidecar' | 'defaults')?]>([
    ['nothing in it', '', [['', 'invalid_json']]],
    ['spaces', ' \n', [['', 'invalid_json']]],
    ['half of it', '{"model": "wan', [['', 'invalid_json']]],
    ['a deep nest', '['.repeat(100), [['', 'invalid_json']]],
    ['no object', '["prompt"]', [['', 'wrong_type']]],
    ['null', 'null', [['', 'wrong_type']]],
    ['too much', long, [['', 'settings_too_large']]],
    ['an image', { input: { img_url: 'https://example.com/x.png' } }, [['/input/img_url', 'image_in_settings']]],
    [
      'unknown fields',
      { promt: 1, input: { promt: 1 }, parameters: { seeds: 1 } },
      [
        ['/input/promt', 'unknown_field'],
        ['/parameters/seeds', 'unknown_field'],
        ['/promt', 'unknown_field'],
      ],
    ],
    [
      'a field named like a built-in',
      '{"__proto__": {}, "input": {"__proto__": 1}}',
      [
        ['/input/__proto__', 'unknown_field'],
        ['/__proto__', 'unknown_field'],
      ],
    ],
    [
      'a webhook of a wrong type',
      { webhook_url: 5, webhook_events: 'some' },
      [
        ['/webhook_url', 'wrong_type'],
        ['/webhook_events', 'invalid_value'],
      ],
    ],
    [
      'wrong types',
      { model: 5, input: [], parameters: 'x', metadata: { a: 1 } },
      [
        ['/model', 'wrong_type'],
        ['/input', 'wrong_type'],
        ['/parameters', 'wrong_type'],
        ['/metadata/a', 'wrong_type'],
      ],
    ],
    [
      'null fields',
      { input: { prompt: null }, parameters: { seed: null } },
      [
        ['/input/prompt', 'wrong_type'],
        ['/parameters/seed', 'wrong_type'],
      ],
    ],
    ['a missing prompt as text', { input: { prompt: 'None' } }, [['/input/prompt', 'invalid_value']]],
    ['labels that cannot be kept', '{"metadata": {"constructor": "x"}}', [['/metadata/constructor', 'invalid_name']]],
    ['a sidecar that requires sidecars', { sidecar: 'required' }, [['/sidecar', 'unknown_field']]],
    ['defaults that want something else', { sidecar: 'maybe' }, [['/sidecar', 'invalid_value']], 'defaults'],
  ])('%s', (_, content, expected, kind) => {
    const found = read(content, kind);
    expect(found.ok ? [] : found.issues.map(({ pointer, code }) => [pointer, code])).toEqual(expected);
  });

  test('a file in UTF-16, as a Windows shell writes it', () => {
    for (const mark of ['\ufeff', '']) {
      const utf16 = Buffer.from(`${mark}${JSON.stringify({ input: { prompt: 'A cat' } })}`, 'utf16le');
      expect(readSettingsFile(utf16, 'sidecar')).toMatchObject({
        issues: [{ code: 'invalid_json', message: expect.stringMatching(/Save it as UTF-8/) }],
      });
    }
  });

  test('no value of it is repeated', () => {
    const found = read({ input: { prompt: ['secret'] }, metadata: { a: { b: 'secret' } }, sidecar: 'secret' });
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  test('a thousand unknown fields are not a thousand issues', () => {
    const found = read(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1])));
    expect(found.ok ? 0 : found.issues.length).toBeLessThan(50);
  });
});

test('the longest prompts that are accepted fit into a file, in any language', () => {
  const cats = '🐈'.repeat(20_000);
  expect(read({ input: { prompt: cats, negative_prompt: cats } })).toMatchObject({ ok: true });
});
