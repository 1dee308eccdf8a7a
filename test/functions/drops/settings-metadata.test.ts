import { describe, expect, test } from 'vitest';
import { settingsOfMetadata } from '../../../functions/drops/settings-metadata.ts';

const codesOf = (metadata: Record<string, string>) => settingsOfMetadata(metadata).issues.map(({ code }) => code);
const inputOf = (metadata: Record<string, string>) => settingsOfMetadata(metadata).body.input;

describe('a name that is nearly a setting', () => {
  test.each([
    ['promt', 'prompt'],
    ['prmopt', 'prompt'],
    ['prompts', 'prompt'],
    ['Promtp', 'prompt'],
    ['my-prompt', 'prompt'],
    ['prompt_text', 'prompt'],
    ['negativ_prompt', 'negative-prompt'],
    ['negative-promt', 'negative-prompt'],
    ['negativeprompt', 'negative-prompt'],
    ['promptextend', 'prompt-extend'],
    ['prompt-extent', 'prompt-extend'],
    ['modell', 'model'],
    ['resolutoin', 'resolution'],
    ['durations', 'duration'],
    ['audiourl', 'audio-url'],
    ['templat', 'template'],
    ['watermarks', 'watermark'],
  ])('is an issue that gives the right one: %s', (name, meant) => {
    const { issues, body } = settingsOfMetadata({ [name]: 'secret value' });
    expect(issues).toEqual([
      { pointer: '', code: 'metadata_misspelt', message: expect.stringContaining(`Write ${meant},`) },
    ]);
    expect(issues[0]!.message).toContain(JSON.stringify(name));
    expect(JSON.stringify(issues)).not.toContain('secret');
    expect(body).toEqual({ input: {}, parameters: {} });
  });

  test.each(['mode', 'make', 'need', 'radio', 'video', 'rotation', 'title', 'project', 'img-url', 'owner'])(
    '%s is none',
    (name) => {
      expect(codesOf({ [name]: 'x' })).toEqual([]);
    },
  );
});

describe('a name that is no setting', () => {
  test('is ignored with one warning for all of them, without their values', () => {
    const { warnings, body, issues } = settingsOfMetadata({ project: 'secret', Camera_Make: 'secret', prompt: 'p' });
    expect(warnings).toEqual([
      { pointer: '', code: 'unknown_metadata', message: expect.stringContaining('"project", "Camera_Make".') },
    ]);
    expect(JSON.stringify(warnings)).not.toContain('secret');
    expect({ body, issues }).toEqual({ body: { input: { prompt: 'p' }, parameters: {} }, issues: [] });
  });

  test('of a hundred, ten are in the warning, and of a long one the first part', () => {
    const names = Array.from({ length: 100 }, (_, number) => [`${'x'.repeat(100)}-${number}`, '']);
    const [warning] = settingsOfMetadata(Object.fromEntries(names)).warnings;
    expect(warning!.message.length).toBeLessThan(900);
    expect(warning!.message).toMatch(/", …\.$/);
  });

  test.each([
    ...['mtime', 'Mtime', 'ctime', 'atime', 'btime', 'uid', 'gid', 'mode', 's3cmd-attrs', 'md5chksum', 'sha256'],
    ...['src_last_modified_millis', 'file-owner', 'file-permissions', 'goog-reserved-file-mtime', 'cb-modifiedtime'],
    ...['user-agent-id', 'permissions', 'xattr'],
  ])('is ignored silently where a sync program writes it: %s', (name) => {
    expect(settingsOfMetadata({ [name]: 'x' })).toEqual({
      body: { input: {}, parameters: {} },
      issues: [],
      warnings: [],
    });
  });
});

describe('a prompt', () => {
  test.each([
    ['%E7%8C%AB', '猫'],
    ['%E7%8C%AB%20%E8%B5%B0', '猫 走'],
    ['The+cat+wakes+up%2C+slowly', 'The cat wakes up, slowly'],
    ['=?UTF-8?B?54yr?=', '猫'],
    ['100% cotton', '100% cotton'],
  ])('is decoded: %s', (value, text) => {
    for (const name of ['prompt', 'negative-prompt']) {
      expect(inputOf({ [name]: value })).toEqual({ [name.replace('-', '_')]: text });
    }
  });

  test.each([
    ...[
      '%E7%8C',
      'A %E7%8C%AB runs',
      '\\u732b',
      '\\xe7\\x8c\\xab',
      '=?klingon?B?54yr?=',
      '=?UTF-8?B?5LiA54?=',
      '=?utf-8*en?Q?cat?=',
    ],
    ...["UTF-8''%E7%8C%AB", '=E7=8C=AB', 'K&auml;tze', 'a cat &amp; a dog', 'A \ufffd cat'],
  ])('that cannot be decoded is an issue, and sets nothing: %s', (value) => {
    for (const name of ['prompt', 'negative-prompt']) {
      const { issues, body } = settingsOfMetadata({ [name]: value });
      expect(issues).toEqual([
        {
          pointer: `/input/${name.replace('-', '_')}`,
          code: 'encoded_text',
          message: expect.stringMatching(/RFC 2047/),
        },
      ]);
      expect(body.input).toEqual({});
    }
  });

  test.each(['', ' \t', 'None', 'null', 'NULL', 'undefined', 'nan', ' None '])(
    'that was never filled in is ignored: %j',
    (value) => {
      expect(inputOf({ prompt: value, 'negative-prompt': value, template: value, 'audio-url': value })).toEqual({});
      expect(codesOf({ prompt: value })).toEqual([]);
    },
  );

  test('is not decoded in an address, which is percent-encoded by its own rules', () => {
    const audio_url = 'https://example.com/%E7%8C%AB+a.mp3';
    expect(inputOf({ 'audio-url': audio_url })).toEqual({ audio_url });
  });
});

test.each(['R&B; jazz', 'x=e2', "It's 5'10\" tall", 'C:\\xylophone', 'a = b & c'])('%j is plain text', (prompt) => {
  expect(settingsOfMetadata({ prompt })).toMatchObject({ issues: [], body: { input: { prompt } } });
});

describe('a take', () => {
  test('is a whole number from 1', () => {
    expect(settingsOfMetadata({ take: '2' }).body).toMatchObject({ take: 2 });
    expect(settingsOfMetadata({ Take: '1' }).body).toMatchObject({ take: 1 });
  });

  test.each(['', '0', '-1', '1.5', 'two', '99999999999999999999'])('%j is an issue', (take) => {
    expect(settingsOfMetadata({ take })).toMatchObject({
      body: {},
      issues: [{ pointer: '/take', code: 'wrong_type' }],
    });
    expect(settingsOfMetadata({ take }).body).not.toHaveProperty('take');
  });
});
