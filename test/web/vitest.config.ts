import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:browser`: what takes a real browser. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/web/*browser.test.ts'],
    exclude: [],
    // Known to need it: the test of deleting by keyboard fails in some runs, why is not known yet.
    retry: 2,
    root: `${import.meta.dirname}/../..`,
  },
});
