import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:deploy`: the stack deployed by the CDK's own CLI, to an AWS on this machine. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/deploy/*.proof.ts'],
    exclude: [],
    // One deployment, step by step.
    bail: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    root: `${import.meta.dirname}/../..`,
  },
});
