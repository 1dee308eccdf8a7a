import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:least-privilege`: what the tests of the whole stack call on AWS, held against what its roles allow. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/least-privilege/*.proof.ts'],
    exclude: [],
    // The end-to-end tests run within, unless they ran before.
    hookTimeout: 900_000,
    testTimeout: 120_000,
    root: `${import.meta.dirname}/../..`,
  },
});
