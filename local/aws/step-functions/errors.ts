/** A refusal by the service: `name` is its error code, `status` its HTTP status. */
export class StepFunctionsError extends Error {
  readonly status = 400;

  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Thrown at creation for a definition that would behave differently here; lists every finding. */
export class UnsupportedDefinition extends Error {
  constructor(machine: string, problems: readonly string[]) {
    super(
      `The local Step Functions cannot run the state machine ${machine}:\n` +
        `${problems.map((problem) => `- ${problem}`).join('\n')}\n` +
        'Change the definition, or see local/aws/step-functions/README.md for what is supported.',
    );
    this.name = 'UnsupportedDefinition';
  }
}

/** A state's failure as Retry, Catch and the execution's ending see it. */
export class StateError extends Error {
  /** What `ErrorEquals` is compared with. */
  readonly error: string;
  /** What Catch and DescribeExecution give as the cause. */
  readonly causeText: string;

  constructor(error: string, causeText: string) {
    super(`${error}: ${causeText}`);
    this.name = 'StateError';
    this.error = error;
    this.causeText = causeText;
  }
}
