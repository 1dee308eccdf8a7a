import { type Browser, chromium as playwright } from 'playwright-core';

/** Launches a packaged browser with the isolation of a desktop browser: separate origins, and one process per page. */
export async function openBrowser(): Promise<Browser> {
  // Only on Lambda does the package add the shared libraries that a minimal machine lacks, so this variable simulates it.
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs22.x';
  const { default: chromium } = await import('@sparticuz/chromium');
  const executablePath = await chromium.executablePath();
  delete process.env.AWS_EXECUTION_ENV;
  // The package's defaults for Lambda use a single process and disable the isolation of origins.
  const args = chromium.args.filter((arg) => !/^--(single-process|no-zygote|disable-web-security)$/.test(arg));
  return playwright.launch({ executablePath, args });
}
