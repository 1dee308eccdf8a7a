import { Problem } from './problem.ts';

/** When to ask again what Wan did not tell, in seconds. */
const RETRY_AFTER_SECONDS = 10;

/** The 503 of a route that can't go on without Wan's word. @param detail what is not known, and what that means for the caller */
export const wanUnavailable = (detail: string) =>
  new Problem(
    503,
    { code: 'wan_unavailable', title: 'Wan does not answer at present.', detail },
    { 'retry-after': String(RETRY_AFTER_SECONDS) },
  );
