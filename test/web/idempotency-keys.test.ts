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

test('the same request keeps its key until it has its video, so that a lost answer is paid for once', () => {
  const keys = counting();
  expect([keys.next(cat), keys.next({ ...cat }), keys.next(cat)]).toEqual(['1', '1', '1']);
});

test('another request has another key, or the API would refuse it', () => {
  const keys = counting();
  expect([keys.next(cat), keys.next(dog)]).toEqual(['1', '2']);
});

test('the same request after its video means another video', () => {
  const keys = counting();
  keys.next(cat);
  keys.settled();
  expect(keys.next(cat)).toBe('2');
});
