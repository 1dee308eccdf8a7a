import { defineConfig, mergeConfig } from 'vitest/config';
import common from '../../vitest.config.ts';

export default mergeConfig(
  { ...common, test: { ...common.test, include: [] } },
  defineConfig({ test: { include: ['test/faults/**/*.faults.ts'] } }),
);
