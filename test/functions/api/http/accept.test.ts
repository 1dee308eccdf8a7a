import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prefers } from '../../../../functions/api/http/accept.ts';

const [json, mp4] = ['application/json', 'video/mp4'];
const prefersJson = (...accept: string[]) => prefers({ headers: null, multiValueHeaders: { accept } }, json, mp4);

test.each([
  ['application/json', true],
  ['application/*', true],
  ['video/mp4;q=0.5, application/json', true],
  ['*/*;q=0.1, application/json', true],
  ['application/json;q=0.001', true],
  ['APPLICATION/json ; Q=1', true],
  ['application/json;profile="a,b;q=0"', true],
  ['application/json, text/plain, */*', false],
  ['*/*, application/json;q=0.1', false],
  ['video/mp4, application/json;q=0.5', false],
  ['application/*;q=0.9, video/*', false],
  ['application/json;q=0', false],
  ['application/json;q=0.000, application/*', false],
  ['application/json;q=2', false],
  ['application/json;q=x, */*', false],
  ['application/jsonp', false],
  ['*/json', false],
  ['json', false],
  ['text/html', false],
  ['', false],
  [',,;q=1, /', false],
])('Accept: %s prefers JSON to a video: %s', (accept, expected) => {
  expect(prefersJson(accept)).toBe(expected);
});

test('without the header nothing is preferred', () => {
  expect(prefers({ headers: null }, json, mp4)).toBe(false);
});

const range = fc.record({
  type: fc.constantFrom('application/json', 'application/*', 'video/mp4', 'video/*', '*/*', 'text/html'),
  /** In thousandths. */
  quality: fc.integer({ min: 0, max: 1000 }),
});
type Range = { type: string; quality: number };

/** The quality of a type, by the definition: the most specific range that matches. */
function quality(ranges: readonly Range[], type: string): number {
  for (const name of [type, type.replace(/\/.*/, '/*'), '*/*']) {
    const found = ranges.filter((candidate) => candidate.type === name);
    if (found.length > 0) return Math.max(...found.map((candidate) => candidate.quality));
  }
  return 0;
}

test('compares qualities, in any order, case and number of headers', () => {
  const writing = fc.record({ upper: fc.boolean(), blank: fc.constantFrom('', ' ', '\t'), split: fc.boolean() });
  fc.assert(
    fc.property(
      fc.shuffledSubarray([0, 1, 2, 3]),
      fc.array(range, { minLength: 4, maxLength: 4 }),
      writing,
      (order, all, { upper, blank, split }) => {
        const ranges = order.map((index) => all[index]!);
        const texts = ranges
          .map(({ type, quality: q }) => `${type}${blank};${blank}q=${(q / 1000).toFixed(3)}`)
          .map((text) => (upper ? text.toUpperCase() : text));
        const headers = split ? texts : [texts.join(`${blank},${blank}`)];
        expect(prefersJson(...headers)).toBe(quality(ranges, json) > quality(ranges, mp4));
      },
    ),
  );
});
