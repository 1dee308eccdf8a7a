import { seededRandom } from '../support/seeded-random.ts';
import { edgeCaseImages, largeImages, validImages } from './images.ts';

export const imageUrl = 'https://images.example/cat.png';
export const audioUrl = 'https://audio.example/cat.wav';

type Json = Record<string, unknown>;
interface Body extends Json {
  input: Json;
  parameters: Json;
}

/** Models with the same fields for client and emulator; wan2.7 has another wire format. */
const models = [
  'wan2.6-i2v',
  'wan2.5-i2v-preview',
  'wan2.2-i2v-plus',
  'wan2.2-i2v-flash',
  'wan2.1-i2v-turbo',
  'wan2.1-i2v-plus',
  'wan2.6-i2v-flash',
];

/** Values of every JSON type, for fields that need another one. */
const anything: readonly unknown[] = [
  ...[null, true, false, 0, -0, 1, -1, 1.5, 5, 720, 1e300, '', ' ', 'x', '5', 'true', '720P', 'single', 'null'],
  ...[[], [1], {}, { a: 1 }, [[[]]], { toString: 'x' }, ['720P'], audioUrl],
];

const values: Readonly<Record<string, readonly unknown[]>> = {
  resolution: ['480P', '720P', '1080P', '480p', '720', '4K', 1080],
  duration: [1, 2, 3, 4, 5, 6, 7, 10, 12, 14, 15, 16, 60, 61, 0, -5, 5.5, '5'],
  prompt_extend: [true, false],
  shot_type: ['single', 'multi', 'Multi', 'triple'],
  watermark: [true, false, 0, 'no'],
  seed: [0, 1, 12345, 2147483647, 2147483648, -1, 0.5, '7'],
  audio: [true, false, 'x'],
};

const urls = [
  ...['https://images.example/a%20b.png?x=1#y', 'HTTP://IMAGES.EXAMPLE/a.wav', 'https://bücher.example/ä.png'],
  ...['http://127.0.0.1:9/a.png', 'http://localhost/a', 'https://10.0.0.1/', 'http://[::1]/', 'http://2130706433/'],
  ...['http://169.254.169.254/latest/meta-data', 'https://intranet/a.png', 'https://user:pass@images.example/'],
  ...['https://images.example/a b.png', ' https://images.example/', 'https://images.example/\n', 'https:\\\\x.example'],
  ...[
    'https://',
    'https:///x',
    'https:/images.example/x',
    'http://%',
    'https://a.example:99999/',
    '//images.example/x',
  ],
  ...[
    'ftp://images.example/x',
    'file:///etc/passwd',
    'oss://dashscope-instant/x.png',
    's3://bucket/key',
    'javascript:1',
  ],
  ...['', ' ', 'cat.png', 'data:', 'data:,x', 'data:image/png,abc', 'data:image/png;base64', 'data:;base64,AAAA'],
  `https://images.example/${'x'.repeat(8192)}`,
];

const characters = ['a', '猫', '🐈', '\u0000', '"', '[', '\\', 'ß', '\n'];

/**
 * Generates JSON bodies of submissions, the same ones for the same seed: first the large images, then valid bodies with zero
 * to three changes.
 */
export function createBodyGenerator(seed: number, names: readonly string[] = models): () => string {
  const heavy = largeImages.flatMap((image) =>
    names.slice(0, 1).map((model) => JSON.stringify({ model, input: { img_url: dataUrlOf(image) } })),
  );
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const chance = (share: number) => random() < share;

  function text(): unknown {
    const length = pick([0, 1, 3, 799, 800, 801, 1499, 1500, 1501, 499, 500, 501, 5000]) + (chance(0.02) ? 20_000 : 0);
    const letters = pick(characters).repeat(length);
    return chance(0.1) ? `${letters}\ud83d` : letters;
  }

  function dataUrl(): string {
    const [type, bytes] = pick(chance(0.45) ? validImages : edgeCaseImages);
    const base64 = bytes.toString('base64');
    return pick([
      ...new Array<() => string>(12).fill(() => `data:${type};base64,${base64}`),
      () => base64,
      () => `DATA:${type.toUpperCase()};BASE64,${base64}`,
      () => `data:${type};base64,${base64.replace(/=+$/, '')}`,
      () => `data:${type};base64,${base64.replace(/(.{1,76})/, '$1\n')}`,
      () => `data:${type};charset=utf-8;base64,${base64}`,
      () => `data:${type};base64,${base64}!`,
      () => `data:${type};base64,${base64.replaceAll('/', '_').replaceAll('+', '-')}`,
    ])();
  }

  function validBody(): Body {
    const parameters: Json = {};
    for (const [name, share] of [
      ['prompt_extend', 0.4],
      ['watermark', 0.3],
      ['seed', 0.3],
    ] as const) {
      if (chance(share)) parameters[name] = pick(values[name]!.slice(0, 2));
    }
    if (chance(0.2)) parameters.duration = 5;
    if (chance(0.2)) parameters.resolution = '720P';
    return {
      model: pick(names),
      input: {
        img_url: chance(0.6) ? imageUrl : dataUrlOf(pick(validImages)),
        ...(chance(0.7) && { prompt: 'A cat runs' }),
      },
      parameters,
    };
  }

  const parameterName = () => pick(Object.keys(values));
  const changes: readonly ((body: Body) => void)[] = [
    ...new Array<(body: Body) => void>(6).fill((body) => {
      const name = parameterName();
      body.parameters[name] = pick(values[name]!);
    }),
    (body) =>
      Object.assign(body.parameters, {
        shot_type: pick(['single', 'multi']),
        prompt_extend: pick([true, false, null]),
      }),
    (body) => Object.assign(body.parameters, { [parameterName()]: pick(anything) }),
    (body) => Object.assign(body.parameters, { [parameterName()]: null }),
    (body) => Object.assign(body.input, { [pick(['prompt', 'negative_prompt'])]: text() }),
    (body) =>
      Object.assign(body.input, { [pick(['prompt', 'negative_prompt', 'template', 'audio_url'])]: pick(anything) }),
    (body) => Object.assign(body.input, { img_url: dataUrl() }),
    (body) => Object.assign(body.input, { img_url: dataUrl() }),
    (body) => Object.assign(body.input, { img_url: pick(urls) }),
    (body) =>
      Object.assign(body.input, {
        audio_url: pick([
          audioUrl,
          audioUrl,
          audioUrl,
          '',
          ...urls.map((url) => url.replace(/(images|bücher)(?=\.example)/i, 'audio')),
        ]),
      }),
    (body) =>
      Object.assign(body.input, { template: pick(['flying', 'a-b_1', '../x', 'fly ing', 'ü', 'x'.repeat(65)]) }),
    (body) => Object.assign(body.input, { [pick(['extend_prompt', 'function', 'media', 'img_urls'])]: pick(anything) }),
    (body) => Object.assign(body, { [pick(['task_group', 'stream', 'Model', 'size'])]: pick(anything) }),
    (body) => Object.assign(body.parameters, { [pick(['size', 'fps', 'n', 'a/b~c'])]: pick(anything) }),
    (body) =>
      Object.assign(body, {
        metadata: pick([{ project: 'spring' }, { 'a b': 'x' }, { a: 'ä'.repeat(1025) }, 'x', null]),
      }),
    (body) =>
      Object.assign(body, { webhook_url: pick(['https://hooks.example/x', 'http://hooks.example/x', 7, null]) }),
    (body) =>
      Object.assign(body, {
        webhook_url: 'https://hooks.example/x',
        webhook_events: pick(['all', 'endings', 'x', null]),
      }),
    (body) => Object.assign(body, { webhook_events: pick(['all', 'endings', 'x', null]) }),
    (body) =>
      Object.assign(body, {
        model: pick([...anything, 'wan9', 'WAN2.6-I2V', 'wan2.6-i2v ', '__proto__', 'constructor']),
      }),
    (body) => Object.assign(body, { [pick(['input', 'parameters'])]: pick(anything) }),
    (body) => delete body.input.img_url,
    (body) => delete body[pick(['model', 'input', 'parameters'])],
  ];

  /** Inherited property names, nesting, and invalid JSON. */
  const hostile: readonly ((body: Body) => string)[] = [
    (body) => JSON.stringify(body).replace('"input":{', '"input":{"__proto__":{"prompt":7},"constructor":null,'),
    (body) => JSON.stringify(body).replace('{', '{"__proto__":{"model":7,"parameters":[]},"hasOwnProperty":1,'),
    (body) => JSON.stringify(body).replace('"parameters":{', '"parameters":{"__proto__":{"seed":-1},"toString":0,'),
    (body) => JSON.stringify(body).replace('{', '{"model":7,"model":"wan9",'),
    (body) => JSON.stringify(body).replace('{', `{"deep":${'['.repeat(800)}${']'.repeat(800)},`),
    (body) => JSON.stringify(body).replace('"parameters":{', `"parameters":{"seed":1${'0'.repeat(400)},`),
    (body) => JSON.stringify(body).slice(0, Math.floor(random() * 200)),
    (body) => `${JSON.stringify(body)}${pick([',', '}', 'x', '\u0000', ' ', '\n'])}`,
    (body) => `\ufeff${JSON.stringify(body)}`,
    (body) => JSON.stringify([body]),
    () => pick(['', 'null', '[]', '0', '"x"', 'undefined', 'NaN', '{}', '{"model":"wan2.6-i2v"}', "{'model':1}"]),
  ];

  return () => {
    const large = heavy.shift();
    if (large) return large;
    const body = validBody();
    const count = pick([0, 1, 1, 1, 2, 2, 3]);
    for (let change = 0; change < count; change += 1) {
      if (!isObject(body.input) || !isObject(body.parameters)) break;
      pick(changes)(body);
    }
    return chance(0.05) ? pick(hostile)(body) : JSON.stringify(body);
  };
}

const dataUrlOf = ([type, bytes]: readonly [string, Buffer]) => `data:${type};base64,${bytes.toString('base64')}`;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
