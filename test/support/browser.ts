import { type Browser, chromium as playwright } from 'playwright-core';

/** A browser from a package, as a person's would be: it keeps origins apart, and one page's end is not its own. */
export async function openBrowser(): Promise<Browser> {
  // On Lambda the package brings the libraries along that a bare machine lacks, so it is told that this is one.
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs22.x';
  const { default: chromium } = await import('@sparticuz/chromium');
  const executablePath = await chromium.executablePath();
  delete process.env.AWS_EXECUTION_ENV;
  // The package is made for Lambda: there a browser is one process for one page, and origins count for nothing.
  const args = chromium.args.filter((arg) => !/^--(single-process|no-zygote|disable-web-security)$/.test(arg));
  return playwright.launch({ executablePath, args });
}
