import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:deploy` deploys the stack with the CDK CLI to MiniStack on this machine. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/deploy/*.proof.ts'],
    exclude: [],
    // The tests are steps of one deployment.
    bail: 1,
    // Shows the duration of each step.
    reporters: ['verbose'],
    // Bounds for a busy machine: the steps wait for conditions.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    root: `${import.meta.dirname}/../..`,
  },
});
