import { randomInt } from 'node:crypto';
import { defineConfig, mergeConfig } from 'vitest/config';
import common from '../../vitest.config.ts';

/** Other histories than last time, and many more than in `npm test`, unless the environment says which. */
const { INTERLEAVINGS = '200', INTERLEAVINGS_SEED = String(randomInt(2 ** 31)) } = process.env;

export default mergeConfig(
  { ...common, test: { ...common.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/faults/**/*.faults.ts', 'test/functions/interleavings.test.ts'],
      env: { INTERLEAVINGS, INTERLEAVINGS_SEED },
      // The campaign needs the processor for itself: it has deadlines.
      fileParallelism: false,
    },
  }),
);
