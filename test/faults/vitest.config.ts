import { randomInt } from 'node:crypto';
import { defineConfig, mergeConfig } from 'vitest/config';
import common from '../../vitest.config.ts';

/** Random histories, and more than in `npm test`, unless the environment sets them. */
const { INTERLEAVINGS = '200', INTERLEAVINGS_SEED = String(randomInt(2 ** 31)) } = process.env;

export default mergeConfig(
  { ...common, test: { ...common.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/faults/**/*.faults.ts', 'test/functions/interleavings.test.ts'],
      env: { INTERLEAVINGS, INTERLEAVINGS_SEED },
      // The campaign has deadlines, so it runs alone.
      fileParallelism: false,
    },
  }),
);
