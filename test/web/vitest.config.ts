import { defineConfig } from 'vitest/config';
import everything from '../../vitest.config.ts';

/** `npm run test:browser`: what takes a real browser. */
export default defineConfig({
  test: {
    // The first browser unpacks Chromium; two at once would start it while it is being written.
    fileParallelism: false,
    ...everything.test,
    include: ['test/web/*browser.test.ts'],
    exclude: [],
    // By default a second, which is not long for a page on a busy machine.
    expect: { poll: { timeout: 30_000 } },
    root: `${import.meta.dirname}/../..`,
  },
});
