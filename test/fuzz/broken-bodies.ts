import fc from 'fast-check';

/** Values of every JSON type, including those that often cause errors. */
export const oddValues: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 1e308, -1e308, 5e-324, 9007199254740992, 2147483648],
  ...['', ' ', 'x', '0', 'null', 'NaN', '-Infinity', '[object Object]', '480P', '\u0000', '\u202e', '\ufeff', '\uffff'],
  ...[
    'é'.normalize('NFD'),
    'ﬀ',
    '💃🏽',
    '\ud800',
    'a\udfffb',
    '{{7*7}}',
    "' OR 1=1 --",
    '<script>',
    '../../etc/passwd',
  ],
  ...[
    '%00',
    '{{7*7}}',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
    's3://firstframe-videos/x.mp4',
  ],
  ...[
    'data:image/png;base64,AAAA',
    'data:text/html,<b>',
    'x'.repeat(64),
    'x'.repeat(65),
    'x'.repeat(8193),
    'é'.repeat(20_001),
  ],
  ...[[], [[]], [1, 'a', null], {}, { a: 1 }, { toString: 'x' }, { constructor: { prototype: {} } }, { length: -1 }],
];

const oddNames = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'webhook_url',
  'webhook_events',
  'owner',
  'status',
  'id',
  '$where',
  'a.b',
  '/~',
  '\ud800',
  'x'.repeat(5000),
];

type Path = readonly (string | number)[];
type Step = { kind: 'replace' | 'remove' | 'add' | 'nest' | 'wrap'; where: number; what: unknown; name: string };

const steps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('replace', 'replace', 'remove', 'add', 'nest', 'wrap'),
  where: fc.nat(),
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...oddValues) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  ),
  name: fc.oneof(fc.constantFrom(...oddNames), fc.string({ unit: 'binary', maxLength: 8 })),
});

/** Bodies with one to three changes that break them. */
export const brokenOf = (bodies: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(bodies, fc.array(steps, { minLength: 1, maxLength: 3 })).map(([body, list]) => list.reduce(broken, body));

function broken(body: unknown, { kind, where, what, name }: Step): unknown {
  const places = pathsOf(body);
  const place = places[where % places.length]!;
  switch (kind) {
    case 'replace':
      return changed(body, place, () => what);
    case 'remove':
      return changed(body, place, () => undefined);
    case 'add':
      return changed(body, place, (value) =>
        isObject(value) ? Object.fromEntries([...Object.entries(value), [name, what]]) : what,
      );
    case 'nest':
      return changed(body, place, (value) => nested(value, 1 + (where % 60)));
    case 'wrap':
      return changed(body, place, (value) => [value]);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))];
}

function changed(value: unknown, [step, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (step === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === step ? changed(item, rest, change) : item));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, inner]) => [
      name,
      name === step ? changed(inner, rest, change) : inner,
    ]),
  );
}

function nested(value: unknown, depth: number): unknown {
  let outer = value;
  for (let level = 0; level < depth; level++) outer = level % 2 ? [outer] : { a: outer };
  return outer;
}

/** Changes that make a text invalid JSON, or JSON that programs parse differently. */
const textChanges: readonly ((json: string) => string | Buffer)[] = [
  (json) => json.slice(0, -1),
  (json) => json.slice(0, Math.floor(json.length / 2)),
  (json) => `${json}${json}`,
  (json) => `${json}\u0000`,
  (json) => `\ufeff${json}`,
  (json) => json.replace('{', '{"model":"wan2.6-i2v",'),
  (json) => json.replace('{', '{"\\u006dodel":"wan2.6-i2v",'),
  (json) => json.replace(/}$/, ',"n":NaN}'),
  (json) => json.replace(/}$/, ',"n":1e999}'),
  (json) => json.replace(/}$/, `,"n":${'9'.repeat(400)}}`),
  (json) => json.replace(/}$/, ',}'),
  (json) => json.replaceAll('"', "'"),
  (json) => `// comment\n${json}`,
  (json) => `${'['.repeat(20_000)}${']'.repeat(20_000)}`.slice(0, 40_000) + json.slice(0, 0),
  (json) => `${'{"a":'.repeat(33)}1${'}'.repeat(33)}${json.slice(0, 0)}`,
  (json) => Buffer.concat([Buffer.from(json), Buffer.from([0xff, 0xfe])]),
  (json) => Buffer.from(json.replace('"', '"\ufffd'), 'utf16le'),
  (json) => Buffer.from(json, 'latin1'),
  () => Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
  () => '',
  () => ' \r\n\t',
  () => 'null',
  () => '"text"',
  () => '[]',
  () => '-',
  () => 'model=wan2.6-i2v&input=x',
  () => '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
];

/** Serialized bodies, broken as text. */
export const brokenTextOf = (bodies: fc.Arbitrary<unknown>): fc.Arbitrary<string | Buffer> =>
  fc.tuple(bodies, fc.constantFrom(...textChanges)).map(([body, breakText]) => breakText(JSON.stringify(body) ?? ''));
