import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Begins with the tests of the whole stack: a long one that begins last keeps one worker busy and the others idle. */
class WholeStackFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isWholeStack = ({ moduleId }: TestSpecification) => /\/test\/((e2e|faults)\/|[^/]*$)/.test(moduleId);
    return [...sorted.filter(isWholeStack), ...sorted.filter((file) => !isWholeStack(file))];
  }
}

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
    sequence: { sequencer: WholeStackFirst },
    // Node 20 is supported on purpose; the SDK's notice about it would hide the tests' output.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
