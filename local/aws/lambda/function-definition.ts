/** A Lambda function of the template. */
export interface FunctionDefinition {
  name: string;
  /** Without a qualifier. */
  arn: string;
  /** Contains the bundle. */
  code_directory: string;
  /** `<file>.<export>`. */
  handler: string;
  /** The variables that the template sets. */
  environment: Readonly<Record<string, string>>;
  memory_mb: number;
  timeout_seconds: number;
  /**
   * The maximum number of concurrent invocations; more fail with TooManyRequestsException. @default unlimited,
   * invocations wait for a worker
   */
  reserved_concurrency?: number;
  access_key_id: string;
  secret_access_key: string;
  async_settings: AsyncSettings;
}

/** Returns the name in a reference to a function: a name or an ARN, with or without a qualifier. */
export function functionNameOf(reference: string): string {
  const parts = reference.split(':');
  return (reference.startsWith('arn:') ? parts[6] : parts[0]) ?? '';
}

/** How failed asynchronous invocations are handled. */
export interface AsyncSettings {
  /** Retries after the first attempt. @default 2 */
  maximum_retry_attempts?: number;
  /** @default 6 hours, as in Lambda */
  maximum_event_age_seconds?: number;
  /** The queue that receives the event. */
  dead_letter_arn?: string;
}

/** An invocation's error in Lambda's format. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

/** The function's result as JSON, or its error. */
export type Outcome = { payload: string } | { error: FunctionError };
