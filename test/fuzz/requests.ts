import fc from 'fast-check';
import type { Contract, ContractParameter, Route } from '../support/contract.ts';
import { pngUrl } from '../support/png.ts';
import { anything, brokenOf, brokenTextOf } from './broken-bodies.ts';
import { type FuzzForm, forms } from './forms.ts';
import { oddHeaders, oddMetadata, oddPaths, oddQueries } from './odd-parts.ts';
import { valuesOf } from './schema-values.ts';

/** An id to be put into a path when the request is sent: one of a kind, or any text. */
export type Id = { kind: 'own' | 'other' | 'never'; index: number } | { kind: 'text'; text: string };

/** A request, ready but for the ids of videos that there are only while it runs. */
export interface FuzzRequest {
  /** Which operation it means; none for a path that belongs to no operation for sure. */
  route: Route | undefined;
  method: string;
  /** A template with `{id}`, or a path as it is sent. */
  path: string;
  id: Id;
  /** Encoded, without the question mark. */
  query: string;
  /** Without the key. */
  headers: readonly (readonly [name: string, value: string])[];
  credentials: 'own' | 'other' | 'none' | 'wrong' | 'twice' | 'scheme' | 'long';
  body: string | Buffer | undefined;
  /** In place of query and body: a file to be uploaded, which takes a policy first. */
  form?: FuzzForm;
}

const smallPicture = pngUrl(360, 360);
/** What is wrong with these shows without asking anybody: nothing outside is ever fetched. */
const badAddresses = [
  '',
  'x',
  'ftp://example.com/a.png',
  'http://127.0.0.1:9/a.png',
  's3://firstframe-uploads/uploads/other/x/image.png',
  'oss://dashscope-instant/x.png',
  'https://user:pw@example.com/a.png',
];
const goodAddresses = ['https://example.com/cat.png', 'HTTP://EXAMPLE.com/%7Ecat?x=1#y', smallPicture];

const weighted = <T>(...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const ids: fc.Arbitrary<Id> = weighted<Id>(
  [5, fc.nat().map((index) => ({ kind: 'own' as const, index }))],
  [2, fc.nat().map((index) => ({ kind: 'other' as const, index }))],
  [1, fc.nat().map((index) => ({ kind: 'never' as const, index }))],
  [
    2,
    fc
      .oneof(
        fc.constantFrom(
          '0',
          'x',
          'undefined',
          '..',
          '../x',
          '%00',
          'null',
          '__proto__',
          '{id}',
          '5F0C6B9E-3A52-8D0E-9C1B-7E4F2A9D6C38',
          ' ',
          '*',
          'x'.repeat(300),
          '00000000-0000-0000-0000-000000000000',
        ),
        fc.uuid(),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      )
      .map((text) => ({ kind: 'text' as const, text })),
  ],
);

const credentials = weighted<FuzzRequest['credentials']>(
  [30, fc.constant('own')],
  [2, fc.constant('other')],
  [3, fc.constantFrom('none', 'wrong', 'twice', 'scheme', 'long')],
);

/** Any request to any of the contract's operations, and some to none. The same seed gives the same requests. */
export function requestsOf(contract: Contract): fc.Arbitrary<FuzzRequest> {
  const perRoute = contract.routes.map((route) => [weightOf(route), requestOf(contract, route)] as const);
  const strays = fc
    .record({
      path: oddPaths,
      method: fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'),
      id: ids,
      query: fc.constantFrom('', 'a=b'),
      credentials,
      body: fc.constantFrom(undefined, '{}'),
    })
    .map((request): FuzzRequest => ({ ...request, route: undefined, headers: [] }));
  const wrongMethods = fc
    .record({
      route: fc.constantFrom(...contract.routes),
      method: fc.constantFrom('PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE'),
      id: ids,
    })
    .map(
      ({ route: { path }, method, id }): FuzzRequest => ({
        route: undefined,
        method,
        path,
        id,
        query: '',
        headers: [],
        credentials: 'own',
        body: undefined,
      }),
    );
  return weighted(...perRoute, [3, strays], [1, wrongMethods]);
}

/** Bodies have most to be got wrong; a page is a page; and what is deleted can't be asked much about. */
function weightOf({ requestBody, path, method }: Route): number {
  if (method === 'DELETE') return 1;
  if (path === '/' || path === '/docs' || path === '/health' || path === '/openapi.json') return 1;
  return requestBody ? 8 : 4;
}

function requestOf(contract: Contract, route: Route): fc.Arbitrary<FuzzRequest> {
  const { path, method, parameters = [], requestBody } = route;
  const common = { route, method, path };
  if (requestBody?.content['multipart/form-data']) {
    return weighted<Omit<FuzzRequest, keyof typeof common>>(
      [
        1,
        fc.record({
          id: ids,
          query: oddQueries,
          headers: headersOf(contract, route),
          credentials,
          body: fc.constant('x'),
        }),
      ],
      [2, fc.record({ id: ids, form: forms }).map((given) => ({ ...given, ...bare }))],
    ).map((request) => ({ ...common, ...request }));
  }
  return fc
    .record({
      id: ids,
      query: queriesOf(contract, parameters),
      headers: headersOf(contract, route),
      credentials,
      body: bodiesOf(contract, route),
    })
    .map((request) => ({ ...common, ...request }));
}

const bare = { query: '', headers: [], credentials: 'none', body: undefined } as const;

function queriesOf(contract: Contract, parameters: readonly ContractParameter[]): fc.Arbitrary<string> {
  const named = parameters.filter((parameter) => parameter.in === 'query');
  // Who waits long only makes the run long.
  const known = { wait: [0, 0, 1, 2], model: ['wan2.2-i2v-flash', 'wan9'], action: ['getPolicy'] };
  const values = Object.fromEntries(named.map(({ name, schema }) => [name, valuesOf(contract, schema, known, name)]));
  const requiredKeys = named.filter(({ required }) => required).map(({ name }) => name);
  const good = fc
    .record(values, { requiredKeys })
    .map((query) =>
      new URLSearchParams(
        Object.entries(query).map(([name, value]) => [name, String(value)] as [string, string]),
      ).toString(),
    );
  return weighted(
    [6, named.length > 0 ? good : fc.constant('')],
    [2, fc.constant('')],
    [1, oddQueries],
    [1, fc.tuple(good, oddQueries).map((both) => both.join('&'))],
  );
}

function headersOf(contract: Contract, { parameters = [] }: Route): fc.Arbitrary<FuzzRequest['headers']> {
  const named = parameters.filter((parameter) => parameter.in === 'header');
  const known = {
    Prefer: ['wait=1'],
    'If-Match': ['*', '"x"'],
    'If-None-Match': ['*', '"x"'],
    'Idempotency-Key': ['fuzz-1', 'fuzz-2'],
  };
  const values = Object.fromEntries(named.map(({ name, schema }) => [name, valuesOf(contract, schema, known, name)]));
  const requiredKeys = named.filter(({ required }) => required).map(({ name }) => name);
  const good = fc.record(values, { requiredKeys }).map((headers) => Object.entries(headers) as [string, string][]);
  return weighted<FuzzRequest['headers']>(
    [5, good],
    [2, fc.constant([])],
    [1, fc.constant([['Accept', 'application/json']] as const)],
    [3, fc.tuple(good, fc.array(oddHeaders, { minLength: 1, maxLength: 3 })).map(([one, other]) => [...one, ...other])],
  );
}

function bodiesOf(contract: Contract, { requestBody, method, path }: Route): fc.Arbitrary<FuzzRequest['body']> {
  const content = requestBody?.content['application/json'];
  const junk = fc.constantFrom('x', '{}', '[]', Buffer.from([0, 255]), JSON.stringify(anything));
  if (!content) return weighted<FuzzRequest['body']>([9, fc.constant(undefined)], [method === 'GET' ? 0 : 1, junk]);
  const json = (bodies: fc.Arbitrary<unknown>) => bodies.map((body) => JSON.stringify(body) ?? '');
  const huge = fc.constantFrom<FuzzRequest['body']>(undefined, `{"model":"${'x'.repeat(1_000_000)}"}`);
  const isPaidFor = /\/videos$|video-synthesis$/.test(path);
  const known = isPaidFor
    ? { img_url: badAddresses, audio_url: badAddresses }
    : { img_url: [...goodAddresses, ...badAddresses], audio_url: ['https://example.com/song.mp3', ...badAddresses] };
  const likely = valuesOf(contract, content.schema, known);
  const examples = Object.values(content.examples ?? {}).map(({ value }) => (isPaidFor ? small : value));
  const good = fc.constantFrom(...examples);
  // What is good is a video there, and takes a second of everything.
  const often = isPaidFor ? 2 : 8;
  return weighted<FuzzRequest['body']>(
    [often, json(good)],
    [often, json(brokenOf(good))],
    [8, json(likely)],
    [16, json(brokenOf(likely))],
    [2, json(fc.tuple(good, oddMetadata).map(([body, metadata]) => Object.assign({}, body, { metadata })))],
    [4, brokenTextOf(likely)],
    [4, brokenTextOf(good)],
    [1, huge],
  );
}

const small = {
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat', img_url: smallPicture },
  parameters: { resolution: '480P' },
};
