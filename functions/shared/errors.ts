/**
 * Errors that cross from a Lambda to the state machine. Step Functions matches them by name, and a minified class keeps none
 * of its own, so each name is a literal here, shared by the thrower and by Retry and Catch in `infra`.
 */
export const errorNames = {
  /** Wan said 429: ask again later. */
  wanThrottled: 'WanThrottled',
  /** Wan answered 5xx, or could not be reached before anything was sent. */
  wanUnavailable: 'WanUnavailable',
  /** A submit's answer was lost; until Wan's task list has decided, nothing is sent again. */
  submissionUncertain: 'SubmissionUncertain',
  /** Another video with the same model and prompt is uncertain, so this one waits. */
  promptLocked: 'PromptLocked',
  /** Wan says that it does not know a task that it can't have forgotten yet: asked a few times more, then believed. */
  taskUnknown: 'TaskUnknown',
  /** The download of the video or its copy failed; the download alone is repeated. */
  archiveInterrupted: 'ArchiveInterrupted',
  /** Every download of the video is the same, and no whole MP4: fetched again until Wan deletes it. */
  videoBroken: 'VideoBroken',
  /** Wan's link points to an untrusted host; retried until the task expires, with an alarm. */
  untrustedVideoHost: 'UntrustedVideoHost',
  /** A surprise while the paid video may still be had: the execution ends as failed, and the sweep resumes the video. */
  unhandled: 'Unhandled',
} as const;

type ErrorName = (typeof errorNames)[keyof typeof errorNames];

/** An error whose name the state machine knows. The message holds no prompt, key or signed URL: it lands in the execution's history. */
export class WorkflowError extends Error {
  constructor(name: ErrorName, message: string) {
    super(message);
    this.name = name;
  }
}
