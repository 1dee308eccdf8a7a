import { describe, expect, test } from 'vitest';
import type { Issue } from '../../functions/shared/issues.ts';
import { toWire } from '../../functions/wan/client/submit-task.ts';
import { knownCodes } from '../../local/wan/errors.ts';
import { submitPath, wanForTest } from '../local/wan/support.ts';
import {
  checkByClient,
  createEmulatedSubmit,
  type EmulatorResponse,
  fetchAnything,
  submitHeaders,
} from './both-sides.ts';
import { createBodyGenerator } from './generated-bodies.ts';

/** Another seed generates other bodies: `AGREEMENT_SEED=7 npx vitest run test/contract/agreement.test.ts`. */
const seed = Number(process.env.AGREEMENT_SEED || 20251229);
const rounds = 10_000;

interface Difference {
  /** Matches an issue as `pointer code`, and the value there. */
  readonly when: (finding: string, value: unknown) => boolean;
  /** Only in `/videos`; the DashScope routes accept it. */
  readonly only?: 'strict';
  readonly reason: string;
}

const finding = (pattern: RegExp) => (text: string) => pattern.test(text);

/** What the client rejects although Wan accepts or ignores it. If only the client rejects a body, each issue must have a row. */
const clientRejects: readonly Difference[] = [
  {
    when: finding(/ unknown_field$/),
    only: 'strict',
    reason: 'Wan ignores unknown fields; a misspelled one would make another video than the requested one.',
  },
  {
    when: (_, value) => value === null,
    only: 'strict',
    reason: 'Wan treats null as absent; /videos does not.',
  },
  {
    when: finding(/^\/parameters\/shot_type shot_type_needs_prompt_extend$/),
    only: 'strict',
    reason: 'The reference: shot_type takes effect only with prompt_extend. Wan ignores it otherwise.',
  },
  {
    when: finding(/^\/parameters\/audio audio_switch_not_supported$/),
    only: 'strict',
    reason: 'Not in the reference, so its models ignore it; a caller who turns audio off expects no audio.',
  },
  {
    when: finding(/^\/input\/prompt prompt_replaced_by_template$/),
    only: 'strict',
    reason: 'Wan ignores the prompt of a video effect.',
  },
  {
    when: (text, value) => text === '/input/img_url invalid_url' && /^[\w+/]{16,}=*$/.test(String(value)),
    only: 'strict',
    reason: 'Only clients of the DashScope protocol send an image as bare base64.',
  },
  {
    when: finding(/^\/parameters\/audio wrong_type$/),
    reason: 'Ignored by the models of the reference, but a wrong type is a mistake.',
  },
  {
    when: finding(/^\/input\/media(\/| )/),
    reason: 'The models of the reference ignore a list of media; here it counts for every model.',
  },
  {
    when: finding(/^\/(metadata|webhook_url|webhook_events)(\/| )/),
    reason: 'Fields of firstframe, which Wan ignores.',
  },
  {
    when: finding(/^\/input\/(img|audio)_url private_url$/),
    reason: "Never forwards an address that only Wan's network, or ours, can reach.",
  },
  {
    when: finding(/^\/input\/(img|audio)_url url_too_long$/),
    reason: 'Over 8,192 characters; the documentation has no limit.',
  },
  {
    when: (text, value) => /^\/input\/(img|audio)_url invalid_url$/.test(text) && /[\s\\]|\/{3}/.test(String(value)),
    reason: 'URL parsers differ for spaces, line breaks, backslashes and a third slash.',
  },
  {
    when: finding(/^\/input\/img_url image_has_alpha$/),
    reason: 'Transparency by a tRNS chunk, which is no alpha channel; how Wan renders it is undocumented.',
  },
  {
    when: finding(/^\/input\/(negative_)?prompt (negative_)?prompt_too_long$/),
    reason: 'Wan cuts prompts of any length; more than 20,000 characters are a mistake.',
  },
  {
    when: finding(/^\/input\/(negative_)?prompt broken_text$/),
    reason: 'A lone surrogate cannot be sent in UTF-8: Wan would receive another prompt than the recorded one.',
  },
  {
    when: finding(/^\/input\/template invalid_value$/),
    reason: 'Names of effects have letters, digits, "_" and "-"; the emulator accepts any name.',
  },
];

/** What the client accepts although Wan rejects it, because it fixes it first. */
const clientFixes: readonly { when: (text: string, error: EmulatorResponse) => boolean; reason: string }[] = [
  {
    when: (_, { message = '' }) => message.includes('the data URL declares'),
    reason: 'An image is sent with the type of its bytes.',
  },
  {
    when: (text, { message = '' }) => message.includes('url error') && /"img_url":"data:/i.test(text),
    reason:
      'A data: URL with parameters, without a type, or in the URL-safe alphabet is sent on in the documented form.',
  },
  {
    when: (text) => /":(?:"\s*"|\[\])/.test(text),
    reason: 'An empty text or list is a missing field.',
  },
  {
    when: (_, { message = '' }) => message.startsWith('parameters.shot_type is not supported'),
    reason: 'A single shot is what every model without shot types makes, so the DashScope routes leave it out.',
  },
];

const shown = (text: string) => (text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text);

function valueAt(text: string, pointer: string): unknown {
  const names = pointer
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return names.reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    JSON.parse(text),
  );
}

describe(`with seed ${seed}`, () => {
  test(`client and emulator agree on ${rounds} bodies, except for the listed differences`, async () => {
    const generate = createBodyGenerator(seed);
    const submitToEmulator = createEmulatedSubmit();
    const used = new Set<unknown>();
    const codes = new Set<string>();
    let accepted = 0;

    const isListed = (text: string, mode: 'strict' | 'tolerant', { pointer, code }: Issue): boolean => {
      const row = clientRejects.find(
        ({ only, when }) => (only ?? mode) === mode && when(`${pointer} ${code}`, valueAt(text, pointer)),
      );
      used.add(row);
      return row !== undefined;
    };

    for (let round = 0; round < rounds; round += 1) {
      const text = generate();
      const wan = await submitToEmulator(text);
      const where = `body ${round}: ${shown(text)}`;
      if (wan.status === 200) accepted += 1;
      else expect([wan.status < 500, knownCodes.includes(wan.code ?? '')], where).toEqual([true, true]);

      const strict = checkByClient(text, 'strict');
      const tolerant = checkByClient(text, 'tolerant');
      for (const [mode, ours] of [
        ['strict', strict],
        ['tolerant', tolerant],
      ] as const) {
        if (!ours.ok) for (const { code } of ours.issues) codes.add(code);
        if (ours.ok && wan.status !== 200) {
          const row = clientFixes.find(({ when }) => when(text, wan));
          used.add(row);
          expect(row, `${mode} accepts what the emulator rejects with "${wan.message}", ${where}`).toBeDefined();
        }
        if (!ours.ok && wan.status === 200) {
          const unlisted = ours.issues.filter((issue) => !isListed(text, mode, issue));
          expect(unlisted, `${mode} rejects what the emulator accepts, ${where}`).toEqual([]);
        }
      }
      if (strict.ok) expect(tolerant.ok, `only strict accepts ${where}`).toBe(true);
      if (tolerant.ok) {
        const sent = await submitToEmulator(JSON.stringify(toWire(tolerant.request)));
        expect([sent.status, sent.message], `the request to Wan for ${where}`).toEqual([200, undefined]);
      }
    }

    // If nearly all bodies were accepted or rejected, the test would show little.
    expect(accepted).toBeGreaterThan(rounds * 0.3);
    expect(accepted).toBeLessThan(rounds * 0.7);
    expect([...codes].sort()).toEqual(allCodes);
    for (const row of [...clientRejects, ...clientFixes]) expect(used.has(row), `unused: ${row.reason}`).toBe(true);
  }, 120_000);

  test('the emulator responds the same over HTTP to 300 bodies', async () => {
    const generate = createBodyGenerator(seed + 1);
    const submitToEmulator = createEmulatedSubmit();
    const { wan } = await wanForTest({ fetch: fetchAnything, taskSeconds: 100_000 });
    const headers = { ...submitHeaders, authorization: 'Bearer sk-test' };
    for (let round = 0; round < 300; round += 1) {
      const body = generate();
      const response = await fetch(wan.url + submitPath, { method: 'POST', headers, body });
      const { code, message } = (await response.json()) as Record<string, unknown>;
      const { status, ...direct } = await submitToEmulator(body);
      expect([response.status, code, message], shown(body)).toEqual([status, direct.code, direct.message]);
    }
  });

  test('the emulator accepts the wire format of wan2.7-i2v for every accepted one of 2,000 bodies', async () => {
    const generate = createBodyGenerator(seed + 2, ['wan2.7-i2v']);
    const submitToEmulator = createEmulatedSubmit();
    let accepted = 0;
    for (let round = 0; round < 2000; round += 1) {
      const text = generate();
      const checked = checkByClient(text, 'tolerant');
      if (!checked.ok) continue;
      accepted += 1;
      const sent = await submitToEmulator(JSON.stringify(toWire(checked.request)));
      expect([sent.status, sent.message], shown(text)).toEqual([200, undefined]);
    }
    expect(accepted).toBeGreaterThan(600);
  });
});

/** Every issue code of a body: the generated bodies reach every rule. */
const allCodes = [
  ...['audio_switch_not_supported', 'broken_text', 'credentials_in_url', 'image_dimensions'],
  ...['image_empty', 'image_has_alpha', 'image_too_large', 'invalid_data_url', 'invalid_name'],
  ...[
    'invalid_url',
    'invalid_value',
    'media_not_supported',
    'metadata_too_large',
    'missing',
    'negative_prompt_too_long',
    'out_of_range',
  ],
  ...['private_url', 'prompt_replaced_by_template', 'prompt_too_long', 'shot_type_needs_prompt_extend'],
  ...['shot_type_not_supported', 'unknown_field', 'unknown_model', 'unsupported_audio_type', 'unsupported_duration'],
  ...[
    'unsupported_image_type',
    'unsupported_resolution',
    'unsupported_url_scheme',
    'url_too_long',
    'webhook_url_missing',
    'wrong_type',
  ],
];
