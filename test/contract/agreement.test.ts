import { describe, expect, test } from 'vitest';
import type { Issue } from '../../functions/shared/issues.ts';
import { toWire } from '../../functions/wan/client/submit-task.ts';
import { knownCodes } from '../../local/wan/errors.ts';
import { submitPath, wanForTest } from '../local/wan/support.ts';
import { askUs, createEmulatedSubmit, everythingIsThere, submitHeaders, type WansAnswer } from './both-sides.ts';
import { createBodyGenerator } from './generated-bodies.ts';

/** Another seed gives other bodies: `AGREEMENT_SEED=7 npx vitest run test/contract/agreement.test.ts`. */
const seed = Number(process.env.AGREEMENT_SEED || 20251229);
const rounds = 10_000;

interface Difference {
  /** What we object to, as `pointer code`, and the value there. */
  readonly when: (finding: string, value: unknown) => boolean;
  /** `/videos` alone; those who speak Wan's own protocol are let through. */
  readonly only?: 'strict';
  readonly reason: string;
}

const finding = (pattern: RegExp) => (text: string) => pattern.test(text);

/** Where we refuse what Wan takes or ignores. A body is refused by us alone only if each of its issues has a row. */
const weRefuse: readonly Difference[] = [
  {
    when: finding(/ unknown_field$/),
    only: 'strict',
    reason: 'Wan ignores fields it does not know; a misspelled one would give another video than the one asked for.',
  },
  {
    when: (_, value) => value === null,
    only: 'strict',
    reason: 'Wan reads null as left out; in /videos a field is left out by leaving it out.',
  },
  {
    when: finding(/^\/parameters\/shot_type shot_type_needs_prompt_extend$/),
    only: 'strict',
    reason: 'The reference: shot_type takes effect only with prompt_extend. Wan ignores it otherwise.',
  },
  {
    when: finding(/^\/parameters\/audio audio_switch_not_supported$/),
    only: 'strict',
    reason: 'Not in the reference, so ignored by its models; a caller who turns the sound off means it.',
  },
  {
    when: finding(/^\/input\/prompt prompt_replaced_by_template$/),
    only: 'strict',
    reason: 'Wan ignores the prompt beside a video effect.',
  },
  {
    when: (text, value) => text === '/input/img_url invalid_url' && /^[\w+/]{16,}=*$/.test(String(value)),
    only: 'strict',
    reason: 'A picture as bare base64 is a habit of clients of Wan, and of its protocol alone.',
  },
  {
    when: finding(/^\/parameters\/audio wrong_type$/),
    reason: 'Ignored by the models of the reference; of a wrong type it is a mistake all the same.',
  },
  {
    when: finding(/^\/(metadata|webhook_url)(\/| )/),
    reason: 'Our own fields, which Wan does not know and ignores.',
  },
  {
    when: finding(/^\/input\/(img|audio)_url private_url$/),
    reason: "An address that only Wan's own network, or ours, could reach is never handed on.",
  },
  {
    when: finding(/^\/input\/(img|audio)_url url_too_long$/),
    reason: 'Over 2,048 characters; the documents name no limit.',
  },
  {
    when: (text, value) => /^\/input\/(img|audio)_url invalid_url$/.test(text) && /[\s\\]|\/{3}/.test(String(value)),
    reason: 'Spaces, line breaks, backslashes and a third slash in a URL are read differently by different readers.',
  },
  {
    when: finding(/^\/input\/img_url invalid_data_url$/),
    reason: 'Base64 with line breaks or without padding, which decoders may read or not.',
  },
  {
    when: finding(/^\/input\/img_url image_has_alpha$/),
    reason: 'Transparency by a tRNS chunk: no alpha channel, yet nobody says what Wan makes of it.',
  },
  {
    when: finding(/^\/input\/(negative_)?prompt (negative_)?prompt_too_long$/),
    reason: 'Wan cuts any length off; over 20,000 characters something is wrong.',
  },
  {
    when: finding(/^\/input\/(negative_)?prompt broken_text$/),
    reason: 'Half a character can not be sent in UTF-8: Wan would read another prompt than the one recorded.',
  },
  {
    when: finding(/^\/input\/template invalid_value$/),
    reason: 'The documented effects have names of letters, digits, "_" and "-"; the emulator knows none of them.',
  },
];

/** Where we take what Wan refuses, because we mend it before Wan sees it. */
const weMend: readonly { when: (text: string, refusal: WansAnswer) => boolean; reason: string }[] = [
  {
    when: (_, { message = '' }) => message.includes('the data URL declares'),
    reason: "A picture's type is what its bytes say; it is sent on under that.",
  },
  {
    when: (text) => /"audio_url":""/.test(text),
    reason: 'An empty audio_url is taken for none by those who speak the protocol of Wan, and is not sent on.',
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
  test(`our validator and the emulator agree on ${rounds} bodies, but for the listed differences`, async () => {
    const generate = createBodyGenerator(seed);
    const askWan = createEmulatedSubmit();
    const used = new Set<unknown>();
    const codes = new Set<string>();
    let taken = 0;

    const explained = (text: string, mode: 'strict' | 'tolerant', { pointer, code }: Issue): boolean => {
      const row = weRefuse.find(
        ({ only, when }) => (only ?? mode) === mode && when(`${pointer} ${code}`, valueAt(text, pointer)),
      );
      used.add(row);
      return row !== undefined;
    };

    for (let round = 0; round < rounds; round += 1) {
      const text = generate();
      const wan = await askWan(text);
      const where = `body ${round}: ${shown(text)}`;
      if (wan.status === 200) taken += 1;
      else expect([wan.status < 500, knownCodes.includes(wan.code ?? '')], where).toEqual([true, true]);

      const strict = askUs(text, 'strict');
      const tolerant = askUs(text, 'tolerant');
      for (const [mode, us] of [
        ['strict', strict],
        ['tolerant', tolerant],
      ] as const) {
        if (!us.ok) for (const { code } of us.issues) codes.add(code);
        if (us.ok && wan.status !== 200) {
          const row = weMend.find(({ when }) => when(text, wan));
          used.add(row);
          expect(row, `${mode} takes what the emulator refuses with "${wan.message}", ${where}`).toBeDefined();
        }
        if (!us.ok && wan.status === 200) {
          const unexplained = us.issues.filter((issue) => !explained(text, mode, issue));
          expect(unexplained, `${mode} refuses what the emulator takes, ${where}`).toEqual([]);
        }
      }
      if (strict.ok) expect(tolerant.ok, `only strict takes ${where}`).toBe(true);
      if (tolerant.ok) {
        const sent = await askWan(JSON.stringify(toWire(tolerant.request)));
        expect([sent.status, sent.message], `what we send on of ${where}`).toEqual([200, undefined]);
      }
    }

    // Bodies of which nearly all are taken, or refused, would show little.
    expect(taken).toBeGreaterThan(rounds * 0.3);
    expect(taken).toBeLessThan(rounds * 0.7);
    expect([...codes].sort()).toEqual(everyCode);
    for (const row of [...weRefuse, ...weMend]) expect(used.has(row), `no body needed: ${row.reason}`).toBe(true);
  });

  test('of 300 bodies the emulator says the same over HTTP', async () => {
    const generate = createBodyGenerator(seed + 1);
    const askWan = createEmulatedSubmit();
    const { wan } = await wanForTest({ fetch: everythingIsThere, taskSeconds: 100_000 });
    const headers = { ...submitHeaders, authorization: 'Bearer sk-test' };
    for (let round = 0; round < 300; round += 1) {
      const body = generate();
      const response = await fetch(wan.url + submitPath, { method: 'POST', headers, body });
      const { code, message } = (await response.json()) as Record<string, unknown>;
      const { status, ...direct } = await askWan(body);
      expect([response.status, code, message], shown(body)).toEqual([status, direct.code, direct.message]);
    }
  });

  test('what we take of wan2.7-i2v the emulator takes in its own wire format, 2,000 bodies', async () => {
    const generate = createBodyGenerator(seed + 2, ['wan2.7-i2v']);
    const askWan = createEmulatedSubmit();
    let taken = 0;
    for (let round = 0; round < 2000; round += 1) {
      const text = generate();
      const us = askUs(text, 'tolerant');
      if (!us.ok) continue;
      taken += 1;
      const sent = await askWan(JSON.stringify(toWire(us.request)));
      expect([sent.status, sent.message], shown(text)).toEqual([200, undefined]);
    }
    expect(taken).toBeGreaterThan(600);
  });
});

/** Every code of a issue that a body can have: the bodies come by every rule. */
const everyCode = [
  ...['audio_not_supported', 'audio_switch_not_supported', 'broken_text', 'credentials_in_url', 'image_dimensions'],
  ...['image_empty', 'image_has_alpha', 'image_too_large', 'invalid_data_url', 'invalid_name'],
  ...['invalid_url', 'invalid_value', 'metadata_too_large', 'missing', 'negative_prompt_too_long', 'out_of_range'],
  ...['private_url', 'prompt_replaced_by_template', 'prompt_too_long', 'shot_type_needs_prompt_extend'],
  ...['shot_type_not_supported', 'unknown_field', 'unknown_model', 'unsupported_duration', 'unsupported_image_type'],
  ...['unsupported_resolution', 'unsupported_url_scheme', 'url_too_long', 'wrong_type'],
];
