/**
 * Names of the errors that the state machine handles. Step Functions matches errors by name, and minified classes lose theirs, so the
 * names are literals, shared by the code that throws and by Retry and Catch in `infra`.
 */
export const errorNames = {
  /** Wan responded with 429, or the rate limiter had no free slot; retried later. */
  wanThrottled: 'WanThrottled',
  /** Wan responded with 5xx, or was unreachable before anything was sent. */
  wanUnavailable: 'WanUnavailable',
  /** The response to a submission was lost; nothing is sent until the search in Wan's task list ends. */
  submissionUncertain: 'SubmissionUncertain',
  /** Another video with the same model and prompt is uncertain; this one waits. */
  promptLocked: 'PromptLocked',
  /** Wan does not know a task that has not expired; retried a few times, then final. */
  taskUnknown: 'TaskUnknown',
  /** A download or its copy failed; only the download is repeated. */
  archiveInterrupted: 'ArchiveInterrupted',
  /** Every download has the same bytes and is not a complete MP4; repeated until the task expires. */
  videoBroken: 'VideoBroken',
  /** Wan's link, or a redirect from it, points to an untrusted host; retried until the task expires, with an alarm. */
  untrustedVideoHost: 'UntrustedVideoHost',
  /** Unexpected error while the result can still be fetched: fails the execution; the sweep restarts it. */
  unhandled: 'Unhandled',
} as const;

export type ErrorName = (typeof errorNames)[keyof typeof errorNames];

/** An error that the state machine matches by name. Its message must not hold prompts, keys or signed URLs: it is stored in the execution's history. */
export class WorkflowError extends Error {
  constructor(name: ErrorName, message: string) {
    super(message);
    this.name = name;
  }
}

/** The `type` of a problem (RFC 9457, 3.1.1): a URI that identifies its code. It leads nowhere; docs/codes.md explains the code. */
export const problemType = (code: string): string => `urn:firstframe:problem:${code}`;
