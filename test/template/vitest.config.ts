import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:template` checks the synthesized template with cfn-lint and checkov, which it installs from PyPI. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/template/*.proof.ts'],
    exclude: [],
    // Shows the duration of each test.
    reporters: ['verbose'],
    // The first run installs the programs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    root: `${import.meta.dirname}/../..`,
  },
});
