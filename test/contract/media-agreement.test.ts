import { beforeAll, describe, expect, test } from 'vitest';
import type { Issue } from '../../functions/shared/issues.ts';
import { toWire } from '../../functions/wan/client/submit-task.ts';
import { ffmpegFile, png, wav } from '../functions/media/support.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { checkByClient, createEmulatedSubmit, type EmulatorResponse } from './both-sides.ts';

/*
 * Bodies with media lists, for the models that came after the reference: validation here and the emulator, which share no code, accept
 * or reject alike. `agreement.test.ts` compares everything else.
 */

/** Another seed generates other bodies: `AGREEMENT_SEED=7 npx vitest run test/contract/media-agreement.test.ts`. */
const seed = Number(process.env.AGREEMENT_SEED || 20261201);
const rounds = 10_000;

const later = ['wan2.7-i2v', 'wan2.7-i2v-2026-04-25', 'wan3.0-video', 'wan3.0-video-prime'];
const frames = ['first_frame', 'last_frame', 'first_clip', 'driving_audio'];
const references = ['reference_image', 'reference_video', 'reference_audio'];
const hosts: Record<string, string> = {
  first_clip: 'clip',
  reference_video: 'video',
  driving_audio: 'audio',
  reference_audio: 'audio',
};
const urlOf = (type: string, index: number) => `https://${hosts[type] ?? 'images'}.example/${index}`;

type Json = Record<string, unknown>;
interface Body extends Json {
  model: string;
  input: Json & { media?: unknown };
  parameters: Json;
}

const dataUrl = (width: number, height: number) => `data:image/png;base64,${png(width, height).toString('base64')}`;
const inlineImages = [dataUrl(240, 1920), dataUrl(240, 1930), dataUrl(239, 300), dataUrl(240, 240)];

function createGenerator(): () => string {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const chance = (share: number) => random() < share;
  const entries = (types: readonly string[]) => types.map((type, index) => ({ type, url: urlOf(type, index) }));

  function validTypes(model: string): string[] {
    if (model.startsWith('wan2')) {
      return pick([
        ['first_frame'],
        ['first_frame', 'driving_audio'],
        ['first_frame', 'last_frame'],
        ['driving_audio', 'last_frame', 'first_frame'],
        ['first_clip'],
        ['last_frame', 'first_clip'],
      ]);
    }
    const some = (type: string, most: number) => Array<string>(Math.floor(random() * (most + 1))).fill(type);
    return pick([
      () => [],
      () => ['first_frame'],
      () => ['last_frame', 'first_frame'],
      () => [...some('reference_image', 10), ...some('reference_video', 5), ...some('reference_audio', 5)],
    ])();
  }

  const changes: ((body: Body) => void)[] = [
    (body) => {
      const count = pick([1, 1, 2, 3]);
      body.input.media = entries(Array.from({ length: count }, () => pick([...frames, ...references, 'file', 'link'])));
    },
    ({ input }) => Array.isArray(input.media) && input.media.push(...entries([pick([...frames, ...references])])),
    ({ input }) => Array.isArray(input.media) && input.media.push(...entries(Array(11).fill(pick(references)))),
    ({ input }) => Array.isArray(input.media) && input.media.splice(0, 1),
    ({ input }) =>
      Array.isArray(input.media) && input.media.push(pick<unknown>([{}, null, 'x', { type: 'x', url: 'y' }])),
    ({ input }) =>
      Array.isArray(input.media) &&
      input.media.push({ type: pick(['first_frame', 'reference_image']), url: pick(inlineImages) }),
    ({ input }) =>
      Array.isArray(input.media) && input.media[0] && Object.assign(input.media[0] as object, { reference_voice: 'x' }),
    ({ input }) =>
      Array.isArray(input.media) &&
      input.media[0] &&
      Object.assign(input.media[0] as object, {
        url: pick<unknown>(['', 7, null, 'cat.png', 'ftp://images.example/x']),
      }),
    ({ input }) => Object.assign(input, { media: pick<unknown>([[], {}, 'x', null, 7]) }),
    ({ input }) =>
      Object.assign(
        input,
        pick([
          { img_url: urlOf('first_frame', 0) },
          { audio_url: urlOf('driving_audio', 0) },
          { last_frame_url: urlOf('last_frame', 0) },
        ]),
      ),
    (body) => {
      body.input = {
        prompt: 'A cat',
        img_url: urlOf('first_frame', 0),
        ...(chance(0.5) ? { audio_url: urlOf('driving_audio', 0) } : {}),
      };
    },
    ({ input }) => delete input.prompt,
    ({ input }) =>
      Object.assign(
        input,
        pick([
          { negative_prompt: 'rain' },
          { template: 'flying' },
          { prompt: 'a'.repeat(pick([5000, 5001, 20_000, 20_001])) },
        ]),
      ),
    ({ parameters }) =>
      Object.assign(parameters, { duration: pick([-2, -1, 0, 1, 2, 3, 15, 16, 25, 26, 28, 29, 30, 31, 2.5, '5']) }),
    ({ parameters }) => Object.assign(parameters, { duration: pick([15, 20, 25, 26, 27, 28, 29, 30]) }),
    ({ parameters }) => Object.assign(parameters, { resolution: pick(['480P', '720P', '1080P', '4K']) }),
    ({ parameters }) =>
      Object.assign(parameters, { ratio: pick(['adaptive', '16:9', '4:3', '1:1', '3:4', '9:16', '2:1', 1]) }),
    ({ parameters }) => Object.assign(parameters, { audio: pick<unknown>([true, false, 'x']) }),
    ({ parameters }) => Object.assign(parameters, { shot_type: pick(['single', 'multi']) }),
    ({ parameters }) => Object.assign(parameters, { prompt_extend: pick([true, false]) }),
    ({ parameters }) =>
      Object.assign(parameters, { seed: pick([0, 2147483647, 2147483648, -1]), watermark: pick([true, false]) }),
    (body) => {
      body.model = pick(['wan2.6-i2v', 'wan2.6-i2v-flash', 'wan2.2-i2v-plus']);
      if (chance(0.5)) body.input = { prompt: 'A cat', img_url: urlOf('first_frame', 0) };
      if (chance(0.3)) body.parameters.audio = true;
    },
  ];

  return () => {
    const model = pick(later);
    const body: Body = { model, input: { prompt: 'A cat runs', media: entries(validTypes(model)) }, parameters: {} };
    const count = pick([0, 1, 1, 1, 2, 2, 3]);
    for (let change = 0; change < count; change += 1) pick(changes)(body);
    return JSON.stringify(body);
  };
}

interface Difference<When> {
  readonly when: When;
  readonly only?: 'strict';
  readonly reason: string;
}

const isMedia27 = (model: string) => later.includes(model);

/** What is rejected here although Wan accepts or ignores it. */
const clientRejects: readonly Difference<(finding: string, body: Body, value: unknown) => boolean>[] = [
  {
    when: (finding) => / unknown_field$/.test(finding),
    only: 'strict',
    reason: 'A misspelled field would be ignored.',
  },
  { when: (_, __, value) => value === null, only: 'strict', reason: 'Wan treats null as absent; /videos does not.' },
  { when: (finding) => / document_not_offered$/.test(finding), reason: 'Documents are not offered.' },
  { when: (finding) => / template_not_supported$/.test(finding), reason: 'A caller who names an effect expects it.' },
  { when: (finding) => / prompt_too_long$/.test(finding), reason: 'More than 20,000 characters are a mistake.' },
  {
    when: (finding) => /(negative_prompt|prompt_extend)_not_supported$/.test(finding),
    only: 'strict',
    reason: 'Not settled for wan3.0, so it is not sent.',
  },
  {
    when: (finding) => / (audio_switch_not_supported|ratio_not_supported|shot_type_needs_prompt_extend)$/.test(finding),
    only: 'strict',
    reason: 'Ignored by earlier models.',
  },
  {
    when: (finding) => /^\/parameters\/(audio|ratio) (wrong_type|invalid_value)$/.test(finding),
    reason: 'Ignored by earlier models, but a wrong value is a mistake.',
  },
  {
    when: (finding, { model }) =>
      !isMedia27(model) && /^\/input(\/media|\/img_url|\/audio_url|\/last_frame_url)?/.test(finding),
    reason: 'Earlier models ignore a list of media; here it counts for every model.',
  },
  {
    when: (finding, { input }) => 'last_frame_url' in input && /^\/input/.test(finding),
    reason: 'last_frame_url is a field of firstframe, which Wan ignores.',
  },
];

/** What is accepted here although Wan rejects it, because it is changed first, or only Wan can see it. */
const clientFixes: readonly Difference<(body: Body, message: string) => boolean>[] = [
  {
    when: (_, message) => message.includes('must exceed the'),
    reason: 'The length of a clip behind a URL is not known here.',
  },
  {
    when: ({ model }) => !isMedia27(model),
    reason: 'A list of media is sent to earlier models as img_url and audio_url.',
  },
  {
    when: ({ input }) => ['img_url', 'audio_url', 'last_frame_url'].some((name) => name in input),
    reason: 'Short forms are sent as entries of the list.',
  },
  {
    when: ({ parameters }, message) =>
      /ratio|audio|shot_type/.test(message) && ['ratio', 'audio', 'shot_type'].some((name) => name in parameters),
    reason: 'Parameters that the model lacks are dropped for clients of Wan.',
  },
];

const shown = (text: string) => (text.length > 700 ? `${text.slice(0, 700)}…` : text);
const valueAt = (body: unknown, pointer: string) =>
  pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((value, name) => (value as Json | undefined)?.[name], body);

describe(`with seed ${seed}`, () => {
  let files: Record<string, Uint8Array>;
  beforeAll(async () => {
    const video = (seconds: number) =>
      ffmpegFile('in.mp4', '-f', 'lavfi', '-i', `testsrc=size=320x240:rate=24:duration=${seconds}`);
    files = { clip: await video(2), video: await video(1), audio: wav(3), images: png(400, 400) };
  });
  const fetchFile: typeof fetch = async (url) =>
    new Response(new Uint8Array(files[new URL(new Request(url).url).hostname.split('.')[0]!]!));

  test(`validation and emulator agree on ${rounds} bodies with media, except for the listed differences`, async () => {
    const generate = createGenerator();
    const submit = createEmulatedSubmit(fetchFile);
    const used = new Set<string>();
    const codes = new Set<string>();
    let accepted = 0;
    const rejectsAsListed = (body: Body, mode: string, { pointer, code }: Issue) => {
      const row = clientRejects.find(
        ({ only, when }) => (only ?? mode) === mode && when(`${pointer} ${code}`, body, valueAt(body, pointer)),
      );
      if (row) used.add(row.reason);
      return row !== undefined;
    };
    const fixesAsListed = (body: Body, { message = '' }: EmulatorResponse) => {
      const row = clientFixes.find(({ when }) => when(body, message));
      if (row) used.add(row.reason);
      return row !== undefined;
    };

    for (let round = 0; round < rounds; round += 1) {
      const text = generate();
      const body = JSON.parse(text) as Body;
      const wan = await submit(text);
      const where = `body ${round}: ${shown(text)}`;
      expect(wan.status, where).toBeLessThan(500);
      if (wan.status === 200) accepted += 1;
      for (const mode of ['strict', 'tolerant'] as const) {
        const ours = checkByClient(text, mode);
        if (!ours.ok) for (const { code } of ours.issues) codes.add(code);
        if (ours.ok && wan.status !== 200) {
          expect(
            fixesAsListed(body, wan),
            `${mode} accepts what the emulator rejects with "${wan.message}", ${where}`,
          ).toBe(true);
        }
        if (!ours.ok && wan.status === 200) {
          const unlisted = ours.issues.filter((issue) => !rejectsAsListed(body, mode, issue));
          expect(unlisted, `${mode} rejects what the emulator accepts, ${where}`).toEqual([]);
        }
        if (!ours.ok) continue;
        const sent = await submit(JSON.stringify(toWire(ours.request)));
        if (sent.status !== 200) expect(sent.message, `the request to Wan for ${where}`).toContain('must exceed the');
      }
    }

    expect(accepted).toBeGreaterThan(rounds * 0.3);
    expect(accepted).toBeLessThan(rounds * 0.7);
    expect([...codes]).toEqual(expect.arrayContaining(mediaCodes));
    for (const { reason } of [...clientRejects, ...clientFixes])
      expect(used.has(reason), `unused: ${reason}`).toBe(true);
  }, 240_000);
});

/** The generated bodies reach every rule about media. */
const mediaCodes = [
  ...['document_not_offered', 'media_combination', 'media_not_supported', 'missing', 'prompt_or_media_missing'],
  ...['too_many_media', 'unsupported_duration', 'image_dimensions', 'ratio_not_supported', 'template_not_supported'],
  ...['negative_prompt_not_supported', 'prompt_extend_not_supported', 'audio_switch_not_supported'],
];
