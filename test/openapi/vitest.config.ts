import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:openapi` checks the contract with published tools, and the local stack by the contract. */
export default defineConfig({
  test: {
    ...everything.test,
    include: ['test/openapi/*.proof.ts'],
    exclude: [],
    testTimeout: 900_000,
    hookTimeout: 300_000,
    root: `${import.meta.dirname}/../..`,
  },
});
