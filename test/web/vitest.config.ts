import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:browser`: what takes a real browser. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/web/*browser.test.ts'],
    exclude: [],
    // By default a second, which is not long for a page on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    root: `${import.meta.dirname}/../..`,
  },
});
