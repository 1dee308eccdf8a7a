import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:least-privilege` compares the AWS calls of the tests of the whole stack with what its roles allow. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/least-privilege/*.proof.ts'],
    exclude: [],
    // The setup runs the end-to-end tests unless AWS_CALLS_FILE is set.
    hookTimeout: 900_000,
    testTimeout: 120_000,
    root: `${import.meta.dirname}/../..`,
  },
});
