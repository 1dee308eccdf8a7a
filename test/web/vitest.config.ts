import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:browser`: what takes a real browser. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/web/*browser.test.ts'],
    exclude: [],
    root: `${import.meta.dirname}/../..`,
  },
});
