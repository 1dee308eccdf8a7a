import { describe, expect, test } from 'vitest';
import { etagOf, matches, withEtag } from '../../../../functions/api/http/conditional-requests.ts';
import { json } from '../../../../functions/api/http/request.ts';

const body = { prompt: 'Ein Kätzchen 🐈', amount: 0.1 };
const etag = etagOf(body);
const asking = (...values: string[]) => ({ headers: null, multiValueHeaders: { 'If-None-Match': values } });
const answer = () => json(200, body, { 'retry-after': '5' });

test('an ETag is strong, the same for the same body and another for any other', () => {
  expect(etag).toMatch(/^"[\w-]{43}"$/);
  expect(etagOf(structuredClone(body))).toBe(etag);
  expect(etagOf({ ...body, amount: 0.2 })).not.toBe(etag);
});

test('an ETag is the same in whichever order the table gave the fields of a map back', () => {
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

test('an answer is kept for its caller alone, and never used without asking again', () => {
  const { statusCode, headers, body: sent } = withEtag({ headers: null }, answer());
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
  ])('with %s is a 304 without a body that says what a cache must know', (_, values) => {
    expect(withEtag(asking(...values), answer())).toEqual({
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
  ])('with %s gets the answer', (_, value) => {
    expect(withEtag(asking(value), answer())).toMatchObject({ statusCode: 200, headers: { etag } });
  });
});

test('If-Match takes no weak ETag: it guards a change', () => {
  const guarding = (value: string) => matches({ headers: { 'If-Match': value } }, 'if-match', etag);
  expect(guarding(etag)).toBe(true);
  expect(guarding(`"a", ${etag}`)).toBe(true);
  expect(guarding('*')).toBe(true);
  expect(guarding(`W/${etag}`)).toBe(false);
  expect(guarding('"a"')).toBe(false);
  expect(matches({ headers: null }, 'if-match', etag)).toBe(false);
});
