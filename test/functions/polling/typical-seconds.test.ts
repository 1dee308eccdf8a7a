import { expect, test } from 'vitest';
import { typicalSeconds } from '../../../functions/polling/duration-estimate.ts';

const lasting = (duration: number, model = 'wan2.6-i2v') => ({ model, parameters: { duration } });

test('a longer video takes longer, one of an unknown model as long as most, and the deployment knows better', () => {
  expect([5, 10, 15].map((seconds) => typicalSeconds(lasting(seconds)))).toEqual([100, 130, 160]);
  expect(typicalSeconds(lasting(5, 'wan9'))).toBe(120);
  expect(typicalSeconds(lasting(5), 7)).toBe(7);
});
