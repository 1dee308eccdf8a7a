import fc from 'fast-check';
import type { Contract, ContractParameter, Route } from '../support/contract.ts';
import { pngUrl } from '../support/png.ts';
import { brokenOf, brokenTextOf, oddValues } from './broken-bodies.ts';
import { type FuzzForm, forms } from './forms.ts';
import { oddHeaders, oddMetadata, oddPaths, oddQueries } from './odd-parts.ts';
import { valuesOf } from './schema-values.ts';

/** The id in a path, which is resolved when the request is sent: one of a kind, or any text. */
export type Id = { kind: 'own' | 'other' | 'never'; index: number } | { kind: 'text'; text: string };

/** A generated request. Ids of videos are only known when it is sent. */
export interface FuzzRequest {
  /** The operation that it targets; undefined if it may target none. */
  route: Route | undefined;
  method: string;
  /** A template with `{id}`, or a literal path. */
  path: string;
  id: Id;
  /** Encoded, without the question mark. */
  query: string;
  /** Without the key. */
  headers: readonly (readonly [name: string, value: string])[];
  credentials: 'own' | 'other' | 'none' | 'wrong' | 'twice' | 'scheme' | 'long';
  body: string | Buffer | undefined;
  /** A file upload, which replaces query and body and needs a policy. */
  form?: FuzzForm;
}

const smallImage = pngUrl(360, 360);
/** URLs that are invalid without being fetched. */
const badUrls = [
  '',
  'x',
  'ftp://example.com/a.png',
  'http://127.0.0.1:9/a.png',
  's3://firstframe-uploads/uploads/other/x/image.png',
  'oss://dashscope-instant/x.png',
  'https://user:pw@example.com/a.png',
];
const goodUrls = ['https://example.com/cat.png', 'HTTP://EXAMPLE.com/%7Ecat?x=1#y', smallImage];

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

/** Generates requests to all operations of the contract, and some to none. The same seed gives the same requests. */
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

/** Routes with bodies have the most to test, pages the least. Deletions are rare, since other requests need videos. */
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
  // Long waits would only prolong the run.
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
  const junk = fc.constantFrom('x', '{}', '[]', Buffer.from([0, 255]), JSON.stringify(oddValues));
  if (!content) return weighted<FuzzRequest['body']>([9, fc.constant(undefined)], [method === 'GET' ? 0 : 1, junk]);
  const json = (bodies: fc.Arbitrary<unknown>) => bodies.map((body) => JSON.stringify(body) ?? '');
  const huge = fc.constantFrom<FuzzRequest['body']>(undefined, `{"model":"${'x'.repeat(1_000_000)}"}`);
  const createsVideo = /\/videos$|video-synthesis$/.test(path);
  const known = createsVideo
    ? { img_url: badUrls, audio_url: badUrls }
    : { img_url: [...goodUrls, ...badUrls], audio_url: ['https://example.com/song.mp3', ...badUrls] };
  const likely = valuesOf(contract, content.schema, known);
  const examples = Object.values(content.examples ?? {}).map(({ value }) => (createsVideo ? small : value));
  const good = fc.constantFrom(...examples);
  // There, a valid body creates a video, which takes a second.
  const often = createsVideo ? 2 : 8;
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
  input: { prompt: 'A cat', img_url: smallImage },
  parameters: { resolution: '480P' },
};
