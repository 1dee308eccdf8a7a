import { describe, expect, test } from 'vitest';
import { etagOf, matches, withEtag } from '../../../../functions/api/http/conditional-requests.ts';
import { json } from '../../../../functions/api/http/request.ts';

const body = { prompt: 'Ein Kätzchen 🐈', amount: 0.1 };
const etag = etagOf(body);
const requestWith = (...values: string[]) => ({ headers: null, multiValueHeaders: { 'If-None-Match': values } });
const response = () => json(200, body, { 'retry-after': '5' });

test('computes a strong ETag from the body', () => {
  expect(etag).toMatch(/^"[\w-]{43}"$/);
  expect(etagOf(structuredClone(body))).toBe(etag);
  expect(etagOf({ ...body, amount: 0.2 })).not.toBe(etag);
});

test('computes the same ETag for any order of map fields', () => {
  const [one, other] = [
    { data: [{ id: 'a', metadata: { b: '1', a: '2' } }] },
    { data: [{ metadata: { a: '2', b: '1' }, id: 'a' }] },
  ];
  expect(etagOf(other)).toBe(etagOf(one));
  expect(withEtag({ headers: null }, json(200, other))).toMatchObject({
    headers: { etag: etagOf(one) },
    body: JSON.stringify(other),
  });
  expect(etagOf({ data: [{ id: 'a', metadata: { b: '2', a: '1' } }] })).not.toBe(etagOf(one));
});

test('marks a response as private and to be revalidated', () => {
  const { statusCode, headers, body: sent } = withEtag({ headers: null }, response());
  expect({ statusCode, sent }).toEqual({ statusCode: 200, sent: JSON.stringify(body) });
  expect(headers).toEqual({
    'content-type': 'application/json',
    'cache-control': 'private, no-cache',
    vary: 'Authorization',
    'retry-after': '5',
    etag,
  });
});

describe('If-None-Match', () => {
  test.each([
    ['the ETag', [etag]],
    ['its weak form', [`W/${etag}`]],
    ['a list with it', [`"a", W/"b,c" ,${etag}`]],
    ['several headers with it', ['"a"', etag]],
    ['anything', [' * ']],
  ])('answers %s with 304 without a body and with the headers for caches', (_, values) => {
    expect(withEtag(requestWith(...values), response())).toEqual({
      statusCode: 304,
      headers: { etag, 'cache-control': 'private, no-cache', vary: 'Authorization', 'retry-after': '5' },
      body: '',
    });
  });

  test.each([
    ['another ETag', '"a"'],
    ['nothing', ''],
    ['the ETag without its quotes', etag.slice(1, -1)],
    ['the ETag within another', `"x${etag.slice(1, -1)}"`],
    ['a star among others', '"a", *'],
    ['quotes that never end', `"${'a,"'.repeat(2000)}`],
    ['a lower-case weak mark', `w/${etag}`],
  ])('answers %s with the full response', (_, value) => {
    expect(withEtag(requestWith(value), response())).toMatchObject({ statusCode: 200, headers: { etag } });
  });
});

test('If-Match rejects a weak ETag', () => {
  const guarding = (value: string) => matches({ headers: { 'If-Match': value } }, 'if-match', etag);
  expect(guarding(etag)).toBe(true);
  expect(guarding(`"a", ${etag}`)).toBe(true);
  expect(guarding('*')).toBe(true);
  expect(guarding(`W/${etag}`)).toBe(false);
  expect(guarding('"a"')).toBe(false);
  expect(matches({ headers: null }, 'if-match', etag)).toBe(false);
});
