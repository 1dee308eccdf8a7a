/** A Lambda function as the template deploys it. */
export interface FunctionDefinition {
  name: string;
  /** Without a qualifier. */
  arn: string;
  /** Holds the bundle. */
  code_directory: string;
  /** `<file>.<export>`. */
  handler: string;
  /** The template's variables. */
  environment: Readonly<Record<string, string>>;
  memory_mb: number;
  timeout_seconds: number;
  /** Above it, invocations are refused with TooManyRequestsException. @default none: invocations wait for a worker */
  reserved_concurrency?: number;
  access_key_id: string;
  secret_access_key: string;
  asynchronous: AsynchronousSettings;
}

/** The name in a reference to a function: its name or ARN, with or without a qualifier. */
export function functionNameOf(reference: string): string {
  const parts = reference.split(':');
  return (reference.startsWith('arn:') ? parts[6] : parts[0]) ?? '';
}

/** What happens to an asynchronous invocation that fails. */
export interface AsynchronousSettings {
  /** Tries after the first one. @default 2 */
  maximum_retry_attempts?: number;
  /** @default 6 hours, as on Lambda */
  maximum_event_age_seconds?: number;
  /** Gets the event itself. */
  dead_letter_arn?: string;
}

/** Why an invocation failed, in Lambda's own words. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** What a function gave: its answer as JSON, or its error. */
export type Outcome = { payload: string } | { error: FunctionError };
