import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

/*
 * Words that no file contains, since a reader has to guess what they mean. Each has what to write instead. Parts of identifiers count
 * (`laneOf`), and so do phrases that a line break divides.
 */
const words: Readonly<Record<string, string>> = {
  'whoever|whosoever': 'anyone, any process, the caller',
  'nobody|somebody': 'no process, another owner, someone who …',
  'told|untold|tells|tell of': 'reported, known, called with, returns',
  'mend|mends|mended|mending': 'fix, repair',
  '(?:its|their|a|the|whose) turns?|in turns': 'order, slot, alternately',
  'so many(?! that)': 'that many, how many, N',
  'so long(?! as| that)': 'until, while, that long',
  'can not': 'cannot',
  'no sooner': 'only after',
  upkeep: 'maintenance',
  'fence|fences|fenced|unfenced': 'prompt lock',
  'lane|lanes': 'model queue',
  'stands|standing': 'exists, is, current',
  '(?:a|an|another|one|first|second|last|next|each|this|every) look|(?:two|three|these|between) looks':
    'read, query, check, pass',
  'wish|wishes': 'prompt, request',
  'surprise|surprises|surprised': 'unexpected error',
  'sound|sounds': 'audio, valid',
  'picture|pictures': 'image',
  beside: 'next to, in addition to',
  'bury|buries|buried': 'replace with a tombstone',
  'says|said': 'returns, contains, describes, documented',
  '(?:go|goes|went) the way': 'is deleted like',
  'is had|be had': 'exists, is available',
  'as it is|as they are': 'unchanged, its current …',
  'is worth': 'counts, justifies',
  'held against': 'compared with',
  'of its own accord': 'by itself',
  'all the same': 'anyway, still',
  'at once': 'immediately, concurrently, together',
  'apart(?! from)': 'separately',
  'for ever': 'forever, without a limit',
  'none (?:is|are|was|were|has|have|does|do|of them)': 'no …',
  'be it': 'whether',
  ere: 'before',
  lest: 'so that … not',
  thereby: 'by this, so',
  whereof: 'of which',
};

/** Sentences that keep their word in these files: what others wrote, in their words. */
const exceptions: readonly { files: readonly string[]; sentence: string; because: string }[] = [
  {
    files: [
      'functions/api/dashscope/errors.ts',
      'docs/codes.md',
      'local/wan/errors.ts',
      'test/local/wan/directives.test.ts',
    ],
    sentence: 'please make sure your account is in good standing.',
    because: "Wan's documented message of Arrearage",
  },
  {
    files: [
      'functions/api/dashscope/errors.ts',
      'docs/codes.md',
      'local/wan/errors.ts',
      'test/local/wan/parameters.test.ts',
      'test/functions/wan/client/submit-task.test.ts',
      'test/functions/api/dashscope/create-task-route.test.ts',
      'test/functions/api/dashscope/uploads.test.ts',
    ],
    sentence: 'Model can not be found',
    because: "Wan's documented message of ModelNotFound",
  },
];

/** What separates the words of a phrase: spaces, and the break between two lines of a comment. */
const gap = '(?:\\s+(?:\\*|//|#)?\\s*)';

/** Matches an alternative as words of prose, as parts of a camelCase name, and in capitals. */
function matcher(alternatives: string): RegExp {
  const spaced = alternatives.replaceAll(' ', gap);
  const [first, rest] = [`(?:${spaced})`, '(?![a-z])'];
  const capital = spaced.replace(
    /(^|\||\(\?:)([a-z])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
  const shouted = /^[a-z|]+$/.test(alternatives) ? `|(?<![A-Za-z])(?:${alternatives.toUpperCase()})(?![A-Z])` : '';
  return new RegExp(`(?<![A-Za-z])${first}${rest}|(?<![A-Z])(?:${capital})${rest}${shouted}`, 'g');
}

interface Hit {
  file: string;
  line: number;
  found: string;
  instead: string;
}

const matchers = Object.entries(words).map(([alternatives, instead]) => ({ pattern: matcher(alternatives), instead }));

function findWords(file: string, text: string): Hit[] {
  const kept = exceptions
    .filter(({ files }) => files.includes(file))
    .reduce((left, { sentence }) => left.replaceAll(sentence, ' '.repeat(sentence.length)), text);
  return matchers.flatMap(({ pattern, instead }) =>
    [...kept.matchAll(pattern)].map((match) => ({
      file,
      line: kept.slice(0, match.index).split('\n').length,
      found: match[0].replace(/\s+/g, ' '),
      instead,
    })),
  );
}

const root = path.resolve(import.meta.dirname, '..');
const isWritten = (file: string): boolean =>
  /\.(?:ts|mts|js|mjs|css|html|md|py|sh|yml)$/.test(file) && file !== 'test/language.test.ts';
const folders = ['functions', 'infra', 'local', 'client', 'web', 'bench', 'docs', 'test'];
const files = [
  ...readdirSync(root).filter((file) => statSync(path.join(root, file)).isFile()),
  ...folders
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        path.join(folder, file),
      ),
    ),
].filter(isWritten);
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe('the language', () => {
  test.each(['.', ...folders])('of %s has no word that a reader has to guess', (folder) => {
    const own = files.filter((file) =>
      folder === '.' ? !file.includes(path.sep) : file.startsWith(folder + path.sep),
    );
    const hits = own.flatMap((file) => findWords(file, read(file)));
    const lines = hits.map(({ file, line, found, instead }) => `${file}:${line} "${found}": ${instead}`);
    expect(lines.length === 0 ? '' : `${lines.length} words\n${lines.join('\n')}`).toBe('');
  });

  test.each(exceptions)('is excused for a sentence that exists, and that needs it: $because', ({ files, sentence }) => {
    expect(files.filter((file) => !read(file).includes(sentence))).toEqual([]);
    expect(findWords('elsewhere', sentence)).not.toEqual([]);
  });

  test('is read in prose, names, constants, and over the break of a line', () => {
    const found = (text: string) => findWords('file.ts', text).map((hit) => hit.found);
    expect(found('// Told of it by whoever asks.')).toEqual(['whoever', 'Told']);
    expect(found('const laneOf = readLane(LANE, planes, island);')).toEqual(['lane', 'Lane', 'LANE']);
    expect(found(' * It can\n * not wait, all\n// the same.')).toEqual(['can * not', 'all // the same']);
    expect(
      found('so many that; so many; standards; told; besides; sounded; cannot; defence; lookup; apart from'),
    ).toEqual(['told', 'so many']);
  });
});
