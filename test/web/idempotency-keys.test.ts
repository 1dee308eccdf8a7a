import { expect, test } from 'vitest';
import { createIdempotencyKeys } from '../../web/idempotency-keys.ts';

const counting = () => {
  let count = 0;
  return createIdempotencyKeys(() => {
    count += 1;
    return String(count);
  });
};
const cat = { input: { prompt: 'A cat' } };
const dog = { input: { prompt: 'A dog' } };

test('keeps the key of a request until it became a video, so that a lost response is paid for once', () => {
  const keys = counting();
  expect([keys.keyFor(cat), keys.keyFor({ ...cat }), keys.keyFor(cat)]).toEqual(['1', '1', '1']);
});

test('gives another request another key, or the API would refuse it', () => {
  const keys = counting();
  expect([keys.keyFor(cat), keys.keyFor(dog)]).toEqual(['1', '2']);
});

test('gives the same request a new key after its video', () => {
  const keys = counting();
  keys.keyFor(cat);
  keys.settled();
  expect(keys.keyFor(cat)).toBe('2');
});
