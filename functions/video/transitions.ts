import type { Status } from './record.ts';

/**
 * Where a video may go from where it is. `submitting → queued` gives the permit back when the lane is held (a wrong key, arrears);
 * a caller's explicit retry leads from `failed` or `canceled` back: to `queued` for a new attempt, or to where the task is that Wan
 * still has.
 */
const next: Record<Status, readonly Status[]> = {
  queued: ['submitting', 'failed', 'canceled'],
  submitting: ['running', 'queued', 'failed', 'canceled'],
  running: ['archiving', 'failed', 'canceled'],
  archiving: ['succeeded', 'failed'],
  succeeded: [],
  failed: ['queued', 'running', 'archiving'],
  canceled: ['queued', 'running', 'archiving'],
};

/** The one rule of a video's life: whether it may go from one status to another. */
export const isLegalTransition = (from: Status, to: Status): boolean => next[from].includes(to);
