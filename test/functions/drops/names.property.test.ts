import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kindOf } from '../../../functions/drops/drop-key.ts';
import { decodePercent, readMetadataText } from '../../../functions/drops/metadata-text.ts';
import { findSettingsFiles, type SettingsStore } from '../../../functions/drops/settings-files.ts';
import { settingsOfMetadata } from '../../../functions/drops/settings-metadata.ts';

const runs = { numRuns: 300 };
/** A part of a key. */
const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((name) => !name.includes('/'));
const ending = fc.constantFrom('jpg', 'JPG', 'jpeg', 'png', 'jfif', 'webp', 'hif');
const reserved = fc.oneof(
  fc.tuple(fc.constantFrom('.', '@', '#', '$', '~', '_'), segment).map((parts) => parts.join('')),
  fc.constantFrom('lost+found', 'LOST+FOUND', 'Trash', 'Thumbs', 'FOUND.123', 'System Volume Information'),
);

test('no key with a reserved folder is anything, wherever the folder is', () => {
  const below = fc.array(segment, { maxLength: 3 });
  const name = fc.oneof(
    fc.tuple(segment, ending).map((parts) => parts.join('.')),
    fc.constantFrom('manifest.jsonl', 'a.png.json'),
  );
  fc.assert(
    fc.property(below, reserved, below, name, (above, folder, between, file) => {
      expect(kindOf(['drop', ...above, folder, ...between, file].join('/'))).toBe('other');
    }),
    runs,
  );
});

/** One of the ways to get a name wrong. */
const mistake = fc.constantFrom<(name: string) => string>(
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.normalize('NFD'),
  (name) => name.normalize('NFC'),
  (name) => `${name}.txt`,
  (name) => `${name} `,
  (name) => name.replace(/\.json$/i, '.JSON'),
  (name) => name.replace(/\.[^.]*(\.json)$/i, '$1'),
);
const letters = fc.string({ unit: fc.constantFrom(...'aZé猫 1-_'), minLength: 1, maxLength: 10 });
const imageName = fc.tuple(letters, ending).map(([stem, end]) => `a${stem}.${end}`);

test('a sidecar whose name is wrong in one way is found, or reported with the right name: never passed over', async () => {
  await fc.assert(
    fc.asyncProperty(imageName, mistake, fc.boolean(), async (image, spoil, isDefaults) => {
      const right = isDefaults ? '_defaults.json' : `${image}.json`;
      const file = spoil(right);
      const keys = [`drop/x/${image}`, `drop/x/${file}`];
      const store: SettingsStore = {
        listFiles: async ({ prefix }) => ({
          files: keys.filter((key) => key.startsWith(prefix)).map((key) => ({ key, written: 0 })),
          isTruncated: false,
        }),
        readFile: async () => Buffer.from('{"input": {"prompt": "p"}}'),
      };
      const { sidecar, defaults, misnamed } = await findSettingsFiles(store, { bucket: 'b', key: keys[0]! });
      const found = [sidecar?.key, defaults?.key, ...misnamed.map(({ key }) => key)];
      expect(found, file).toContain(`drop/x/${file}`);
    }),
    runs,
  );
});

const text = fc.string({ unit: 'grapheme', maxLength: 40 });

test('a text that is percent-encoded once is decoded, whatever it is, unless it seems encoded itself', () => {
  fc.assert(
    fc.property(text, (plain) => {
      const decoded = decodePercent(encodeURIComponent(plain));
      // A text of letters alone is the same encoded, and "a+b" may be meant as two words.
      expect([plain, undefined]).toContain(decoded);
      if (!/%|\\u|&#|=\?/.test(plain)) expect(decoded).toBe(plain);
    }),
    runs,
  );
});

test('any text of another script arrives unchanged, by each way to send it', () => {
  const script = fc.string({ unit: fc.constantFrom(...'猫が走るКошкаقطة개🐈é'), minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(script, (prompt) => {
      const ways = [
        prompt,
        encodeURIComponent(prompt),
        `=?UTF-8?B?${Buffer.from(prompt).toString('base64')}?=`,
        Buffer.from(prompt).toString('latin1'),
      ];
      for (const value of ways) expect(settingsOfMetadata({ prompt: value }).body.input).toEqual({ prompt });
    }),
    runs,
  );
});

test('no metadata makes the reader throw', () => {
  fc.assert(
    fc.property(fc.dictionary(text, text), (metadata) => {
      const { issues, warnings } = settingsOfMetadata(metadata);
      expect(issues.length + warnings.length).toBeLessThanOrEqual(Object.keys(metadata).length);
      for (const value of Object.values(metadata)) expect(typeof readMetadataText(value)).toBe('string');
    }),
    runs,
  );
});
