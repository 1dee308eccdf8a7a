import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** `npm run test:browser`: the tests that need a browser. */
export default defineConfig({
  test: {
    // The first browser unpacks Chromium; a second one would start the incomplete file.
    fileParallelism: false,
    ...base.test,
    include: ['test/web/*browser.test.ts'],
    exclude: [],
    // The default of one second is too short on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    root: `${import.meta.dirname}/../..`,
  },
});
