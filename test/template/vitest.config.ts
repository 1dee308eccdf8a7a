import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:template` checks the synthesized template with cfn-lint and checkov, which it installs from PyPI. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/template/*.proof.ts'],
    exclude: [],
    // Each test waits for a program.
    sequence: { concurrent: true },
    // Shows the duration of each test.
    reporters: ['verbose'],
    // Bounds for a busy machine. The first run also installs the programs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    root: `${import.meta.dirname}/../..`,
  },
});
