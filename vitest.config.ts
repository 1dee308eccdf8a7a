import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those in a browser have a command of their own, and so have the many requests of fuzzing.
    exclude: [...configDefaults.exclude, 'test/web/*browser.test.ts'],
    // Generous: what a test waits for takes many times longer on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Files of a worker share what they import: loading the AWS SDK and the CDK anew for each took a third of the time.
    isolate: false,
    // One more than there are cores: tests of the whole stack wait as much as they work.
    maxWorkers: availableParallelism() + 1,
    // Node 20 is supported on purpose; the SDK's notice about it would hide the tests' output.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
